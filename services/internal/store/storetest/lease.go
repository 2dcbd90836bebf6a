package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

const (
	longTTL  = time.Minute            // does not end within a test
	shortTTL = 150 * time.Millisecond // is waited for
	ttlSlack = 20 * time.Millisecond  // by which an engine's clock may be coarse
)

func lease(owner string, ttl time.Duration) store.Lease {
	return store.Lease{Owner: owner, Deployment: "deployment of " + owner, TTL: ttl}
}

// take claims with a lease and returns the head.
func take(t *testing.T, s store.Store, partition int, l store.Lease) store.Head {
	t.Helper()
	h, err := s.Claim(t.Context(), partition, l)
	require.NoError(t, err)
	return h
}

// held requires that a claim is refused by this lease, and that it changes nothing.
func held(t *testing.T, s store.Store, partition int, by store.Lease) {
	t.Helper()
	before, _ := read(t, s, partition)
	_, err := s.Claim(t.Context(), partition, lease("somebody else", longTTL))
	e, ok := errors.AsType[*store.HeldError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, by.Owner, e.Lease.Owner)
	require.Equal(t, by.Deployment, e.Lease.Deployment)
	require.Positive(t, e.Lease.TTL)
	require.LessOrEqual(t, e.Lease.TTL, by.TTL)
	require.Contains(t, err.Error(), by.Owner)
	after, _ := read(t, s, partition)
	require.Equal(t, before, after)
}

// inspect returns the status, with the lease's TTL taken out: it must be positive, and at most that of the lease.
func inspect(t *testing.T, s store.Store, partition int, atMost time.Duration) store.Status {
	t.Helper()
	status, err := s.Inspect(t.Context(), partition)
	require.NoError(t, err)
	if status.Lease.Owner == "" {
		require.Zero(t, status.Lease)
		return status
	}
	require.Positive(t, status.Lease.TTL)
	require.LessOrEqual(t, status.Lease.TTL, atMost)
	status.Lease.TTL = 0
	return status
}

func (u *suite) testLease(t *testing.T) {
	t.Parallel()
	t.Run("a lease keeps others out, and its owner in", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		l := lease("one", longTTL)
		h := take(t, s, 0, l)
		held(t, s, 0, l)
		again := take(t, s, 0, l)
		require.Greater(t, again.Epoch, h.Epoch)
		held(t, s, 0, l)
		take(t, s, 1, lease("two", longTTL)) // other partitions are free
	})
	t.Run("an owner whose name begins as another's is another", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		for p, names := range [][2]string{{"one", "one more"}, {"one more", "one"}, {"a\x00", "a"}} {
			take(t, s, p, lease(names[0], longTTL))
			_, err := s.Claim(t.Context(), p, lease(names[1], longTTL))
			var e *store.HeldError
			require.ErrorAs(t, err, &e)
			require.Equal(t, names[0], e.Lease.Owner)
		}
	})
	t.Run("a lease ends by itself, not before its time", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		begun := time.Now()
		take(t, s, 0, lease("one", shortTTL))
		comes(t, s, "two")
		require.GreaterOrEqual(t, time.Since(begun), shortTTL-ttlSlack)
	})
	t.Run("a released lease ends at once, and the epoch stays", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := take(t, s, 0, lease("one", longTTL))
		require.NoError(t, s.Release(t.Context(), 0, h.Epoch))
		require.NoError(t, s.Release(t.Context(), 0, h.Epoch), "twice is harmless")
		require.Equal(t, store.Status{Head: h}, inspect(t, s, 0, 0))
		apply(t, s, next(0, h))
		require.Greater(t, take(t, s, 0, lease("two", longTTL)).Epoch, h.Epoch)
	})
	t.Run("a claim by force asks no lease, and sets none", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		l := lease("one", longTTL)
		old := take(t, s, 0, l)
		require.Greater(t, claim(t, s, 0).Epoch, old.Epoch)
		held(t, s, 0, l)
		claim(t, s, 1)
		require.Zero(t, inspect(t, s, 1, 0).Lease)
	})
	t.Run("only the present epoch renews and releases", u.testLeaseFenced)
	t.Run("a lease is renewed as long as its owner wants", u.testRenewed)
	t.Run("a partition shows its head, its lease and its draft", u.testInspect)
}

// comes waits until another owner can claim partition 0.
func comes(t *testing.T, s store.Store, owner string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := s.Claim(t.Context(), 0, lease(owner, longTTL))
		return err == nil
	}, patience, pollTick)
}

func (u *suite) testLeaseFenced(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	require.ErrorIs(t, s.Renew(t.Context(), 0, 1, lease("one", longTTL)), store.ErrFenced, "never claimed")
	l := lease("one", longTTL)
	old := take(t, s, 0, l)
	h := take(t, s, 0, l)
	for _, epoch := range []uint64{0, old.Epoch, h.Epoch + 1} {
		require.ErrorIs(t, s.Renew(t.Context(), 0, epoch, lease("two", longTTL)), store.ErrFenced)
		require.ErrorIs(t, s.Release(t.Context(), 0, epoch), store.ErrFenced)
	}
	held(t, s, 0, l)
	require.ErrorIs(t, s.Renew(t.Context(), 0, old.Epoch, store.Lease{}), store.ErrFenced)
	require.NoError(t, s.Renew(t.Context(), 0, h.Epoch, store.Lease{}), "a zero lease changes nothing")
	held(t, s, 0, l)
}

func (u *suite) testRenewed(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T, s store.Store, h store.Head, l store.Lease) store.Head{
		"by a call": func(t *testing.T, s store.Store, h store.Head, l store.Lease) store.Head {
			t.Helper()
			require.NoError(t, s.Renew(t.Context(), 0, h.Epoch, l))
			return h
		},
		"by a commit": func(t *testing.T, s store.Store, h store.Head, l store.Lease) store.Head {
			t.Helper()
			c := next(0, h)
			c.Lease = l
			return apply(t, s, c)
		},
		"by a commit of a draft": func(t *testing.T, s store.Store, h store.Head, l store.Lease) store.Head {
			t.Helper()
			d, err := s.BeginDraft(t.Context(), 0, h.Epoch)
			require.NoError(t, err)
			c := next(0, d)
			c.Draft, c.Lease = true, l
			apply(t, s, c)
			return h
		},
	}
	for name, renew := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := u.open(t)
			h := take(t, s, 0, lease("one", shortTTL))
			l := lease("one", longTTL)
			h = renew(t, s, h, l)
			held(t, s, 0, l)
			require.Greater(t, inspectTTL(t, s), longTTL/2)
			renew(t, s, h, lease("one", shortTTL))
			comes(t, s, "two")
		})
	}
	t.Run("not by a commit without a lease, nor by one that is fenced", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := apply(t, s, next(0, take(t, s, 0, lease("one", shortTTL))))
		wrong := next(0, h)
		wrong.From, wrong.Lease = 77, lease("one", longTTL)
		require.ErrorIs(t, s.Commit(t.Context(), wrong), store.ErrFenced)
		wrong.Draft = true
		require.ErrorIs(t, s.Commit(t.Context(), wrong), store.ErrFenced)
		comes(t, s, "two")
	})
	t.Run("a commit gives the lease to whoever commits", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		take(t, s, 0, lease("one", longTTL))
		c := next(0, claim(t, s, 0)) // by force
		c.Lease = lease("two", longTTL)
		apply(t, s, c)
		held(t, s, 0, c.Lease)
	})
}

func inspectTTL(t *testing.T, s store.Store) time.Duration {
	t.Helper()
	status, err := s.Inspect(t.Context(), 0)
	require.NoError(t, err)
	return status.Lease.TTL
}

func (u *suite) testInspect(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	require.Equal(t, store.Status{}, inspect(t, s, 0, 0), "never touched")
	l := lease("one", longTTL)
	h := take(t, s, 0, l)
	want := store.Status{Head: h, Lease: store.Lease{Owner: l.Owner, Deployment: l.Deployment}}
	require.Equal(t, want, inspect(t, s, 0, longTTL))
	c := next(0, h)
	c.State = []byte("state")
	want.Head = apply(t, s, c)
	require.Equal(t, want, inspect(t, s, 0, longTTL))
	d, err := s.BeginDraft(t.Context(), 0, h.Epoch)
	require.NoError(t, err)
	want.Draft = &d
	require.Equal(t, want, inspect(t, s, 0, longTTL))
	require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
	require.NoError(t, s.Release(t.Context(), 0, h.Epoch))
	require.Equal(t, store.Status{Head: want.Head}, inspect(t, s, 0, longTTL))
	l.Deployment, l.Owner = "", "two\x00\xff"
	want.Epoch = take(t, s, 0, l).Epoch
	require.Equal(t, store.Status{Head: want.Head, Lease: store.Lease{Owner: l.Owner}}, inspect(t, s, 0, longTTL))
}
