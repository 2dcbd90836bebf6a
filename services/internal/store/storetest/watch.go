package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

// watcher collects what one Watch tells.
type watcher struct {
	got  chan store.Change
	done chan error
	stop context.CancelFunc
	// exact says that revisions are of interest.
	exact bool
}

// watch starts a Watch that ends with the test.
func watch(t *testing.T, s store.Store, partitions int) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{got: make(chan store.Change, 100_000), done: make(chan error, 1), stop: cancel}
	go func() {
		w.done <- s.Watch(ctx, partitions, func(c store.Change) error {
			w.got <- c
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-w.done: //nolint:errcheck // how a Watch ends is asked where it matters
		case <-time.After(patience):
			t.Error("Watch does not end with its context")
		}
	})
	return w
}

func (w *watcher) next(t require.TestingT) store.Change {
	select {
	case c := <-w.got:
		if !w.exact {
			c.Revision = 0
		}
		return c
	case <-time.After(patience):
		require.Fail(t, "no change arrived")
		return store.Change{}
	}
}

// lost takes the first Lost of each partition and returns them by partition.
func (w *watcher) lost(t *testing.T, partitions int) map[int]store.Change {
	t.Helper()
	first := map[int]store.Change{}
	for range partitions {
		c := w.next(t)
		require.True(t, c.Lost, "Lost comes first")
		require.Empty(t, c.Accounts)
		require.NotContains(t, first, c.Partition)
		first[c.Partition] = c
	}
	return first
}

func (u *suite) testWatch(t *testing.T) {
	t.Parallel()
	t.Run("each partition begins with Lost at its head", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := apply(t, s, next(1, claim(t, s, 1)))
		first := watch(t, s, 3).lost(t, 3)
		require.Equal(t, store.Change{Partition: 1, Epoch: h.Epoch, Cursor: h.Cursor, Lost: true}, first[1])
		require.Equal(t, store.Change{Partition: 0, Lost: true}, first[0])
		require.Equal(t, store.Change{Partition: 2, Lost: true}, first[2])
	})
	t.Run("changes carry the revision of their commit", u.testRevisions)
	t.Run("every watcher gets every change in order", u.testEveryChange)
	t.Run("no change is missed when commits race with the start", u.testRacingStart)
	t.Run("a claim alone tells nothing and breaks nothing", u.testClaims)
	t.Run("a commit that changes very many accounts is told, perhaps as Lost", u.testManyChanged)
	t.Run("an error of the function ends the watch", func(t *testing.T) {
		t.Parallel()
		own := errors.New("enough")
		require.Equal(t, own, u.open(t).Watch(t.Context(), 1, func(store.Change) error { return own }))
	})
	t.Run("the end of the context ends the watch", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		s := u.open(t)
		begun := time.Now()
		err := s.Watch(ctx, 2, func(c store.Change) error {
			if c.Partition == 1 {
				time.AfterFunc(10*time.Millisecond, cancel)
			}
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(begun), patience/2)
	})
	if u.fallBack != nil {
		t.Run("a fall-back is told as Lost", u.testFallBack)
	}
}

func (u *suite) testEveryChange(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	const partitions, commits = 4, 100
	watchers := []*watcher{watch(t, s, partitions), watch(t, s, partitions), watch(t, s, partitions)}
	for _, w := range watchers {
		w.lost(t, partitions)
	}
	want := map[int][]store.Change{}
	for p := range partitions {
		h := claim(t, s, p)
		for i := range commits {
			c := next(p, h)
			c.Cursor += uint64(i % 3)
			for j := range i % 5 {
				c.Changed = append(c.Changed, fmt.Sprintf("account %d %d", i, j))
			}
			h = apply(t, s, c)
			want[p] = append(want[p], store.Change{Partition: p, Epoch: c.Epoch, Cursor: c.Cursor, Accounts: c.Changed})
		}
	}
	for _, w := range watchers {
		got := map[int][]store.Change{}
		for range partitions * commits {
			c := w.next(t)
			got[c.Partition] = append(got[c.Partition], c)
		}
		require.Equal(t, want, got)
	}
}

// testRacingStart starts watches while commits go on. After Lost at a cursor, each later commit must come.
func (u *suite) testRacingStart(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	const commits, starts = 400, 8
	failed := make(chan error, 1)
	go func() {
		h, err := s.Claim(context.Background(), 0, store.Lease{})
		for i := 0; i < commits && err == nil; i++ {
			c := next(0, h)
			c.Changed = []string{fmt.Sprint(c.Cursor)}
			err = s.Commit(context.Background(), c)
			h.Cursor, h.Revision = c.Cursor, h.Revision+1
		}
		failed <- err
	}()
	watchers := make([]*watcher, starts)
	for i := range watchers {
		watchers[i] = watch(t, s, 1)
		at := watchers[i].lost(t, 1)[0].Cursor
		for at < commits && at < uint64(commits*(i+1)/starts) { // let the commits go on before the next start
			c := watchers[i].next(t)
			require.False(t, c.Lost)
			at++
			require.Equal(t, at, c.Cursor)
			require.Equal(t, []string{fmt.Sprint(at)}, c.Accounts)
		}
	}
	require.NoError(t, <-failed)
}

func (u *suite) testClaims(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	w := watch(t, s, 1)
	w.lost(t, 1)
	for i := range 5 {
		claim(t, s, 0)
		h := claim(t, s, 0)
		c := next(0, h)
		c.Changed = []string{"a"}
		apply(t, s, c)
		require.Equal(t, store.Change{Epoch: h.Epoch, Cursor: uint64(i) + 1, Accounts: c.Changed}, w.next(t))
	}
}

func (u *suite) testManyChanged(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	w := watch(t, s, 1)
	w.lost(t, 1)
	c := next(0, claim(t, s, 0))
	for i := range 50_000 {
		c.Changed = append(c.Changed, fmt.Sprintf("a rather long account id %d", i))
	}
	h := apply(t, s, c)
	got := w.next(t)
	require.Equal(t, h.Cursor, got.Cursor)
	if !got.Lost {
		require.Equal(t, c.Changed, got.Accounts)
	}
	c = next(0, h)
	c.Changed = []string{"few"}
	apply(t, s, c)
	require.Equal(t, store.Change{Epoch: h.Epoch, Cursor: c.Cursor, Accounts: c.Changed}, w.next(t))
}

func (u *suite) testFallBack(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	w := watch(t, s, 2)
	w.lost(t, 2)
	h := claim(t, s, 1)
	for range 3 {
		h = apply(t, s, next(1, h))
		require.False(t, w.next(t).Lost)
	}
	u.fallBack(t, s)
	require.ErrorIs(t, s.Commit(t.Context(), next(1, h)), store.ErrFenced)
	c := w.next(t)
	require.True(t, c.Lost)
	require.Equal(t, 1, c.Partition)
	require.Zero(t, c.Cursor)
	fresh := claim(t, s, 1)
	require.Greater(t, fresh.Epoch, h.Epoch, "an epoch must not come twice")
	apply(t, s, next(1, fresh))
	require.Equal(t, store.Change{Partition: 1, Epoch: fresh.Epoch, Cursor: 1}, w.next(t))
}
