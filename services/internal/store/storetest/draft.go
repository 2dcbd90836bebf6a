package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

// begin makes a draft and returns its head, which must be what the contract says.
func begin(t *testing.T, s store.Store, partition int, h store.Head) store.Head {
	t.Helper()
	d, err := s.BeginDraft(t.Context(), partition, h.Epoch)
	require.NoError(t, err)
	require.Greater(t, d.Generation, h.Generation)
	require.Equal(t, store.Head{Epoch: h.Epoch, Generation: d.Generation}, d)
	return d
}

// sketch is next for a draft.
func sketch(partition int, d store.Head) *store.Commit {
	c := next(partition, d)
	c.Draft = true
	return c
}

// drafted makes a draft of partition 0 with a state and values under the keys a and log, and returns its head.
func drafted(t *testing.T, s store.Store, h store.Head) store.Head {
	t.Helper()
	c := sketch(0, begin(t, s, 0, h))
	c.Cursor, c.State = 5, []byte("draft")
	c.Put = []store.Entry{{Key: "a", Value: []byte("new")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("new")}}
	return apply(t, s, c)
}

func readDraft(t *testing.T, s store.Store, keys ...string) (store.Head, [][]byte) {
	t.Helper()
	h, values, err := s.ReadDraft(t.Context(), 0, keys...)
	require.NoError(t, err)
	require.Len(t, values, len(keys))
	return h, values
}

func noDraft(t *testing.T, s store.Store) {
	t.Helper()
	_, _, err := s.ReadDraft(t.Context(), 0, "a")
	require.ErrorIs(t, err, store.ErrNoDraft)
}

func (u *suite) testDraft(t *testing.T) {
	t.Parallel()
	t.Run("a partition has no draft until one is begun", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		noDraft(t, s)
		h := claim(t, s, 0)
		noDraft(t, s)
		require.ErrorIs(t, s.Commit(t.Context(), sketch(0, h)), store.ErrFenced)
		_, err := s.Publish(t.Context(), 0, h.Epoch, 1)
		require.ErrorIs(t, err, store.ErrFenced)
		require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch), "dropping none is harmless")
	})
	t.Run("nobody sees a draft but who reads drafts", u.testHiddenDraft)
	t.Run("a published draft takes the place of what was live", u.testPublished)
	t.Run("publishing twice is harmless", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := filled(t, s, 0)
		d := drafted(t, s, h)
		d, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
		require.NoError(t, err)
		h = apply(t, s, next(0, d))
		other := begin(t, s, 0, h)
		again, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
		require.NoError(t, err)
		require.Equal(t, h, again)
		got, _ := readDraft(t, s)
		require.Equal(t, other, got, "the next draft stays")
	})
	t.Run("a dropped draft is gone", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := filled(t, s, 0)
		d := drafted(t, s, h)
		require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
		noDraft(t, s)
		require.ErrorIs(t, s.Commit(t.Context(), sketch(0, d)), store.ErrFenced)
		_, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
		require.ErrorIs(t, err, store.ErrFenced)
		got, values := read(t, s, 0, "a", "log")
		require.Equal(t, h, got)
		require.Equal(t, [][]byte{[]byte("old"), []byte("old")}, values)
	})
	t.Run("a draft begun anew is empty", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := filled(t, s, 0)
		old := drafted(t, s, h)
		d := begin(t, s, 0, h)
		require.Greater(t, d.Generation, old.Generation)
		got, values := readDraft(t, s, "a", "log")
		require.Equal(t, d, got)
		require.Equal(t, [][]byte{nil, nil}, values)
		require.ErrorIs(t, s.Commit(t.Context(), sketch(0, old)), store.ErrFenced)
		_, err := s.Publish(t.Context(), 0, h.Epoch, old.Generation)
		require.ErrorIs(t, err, store.ErrFenced)
	})
	t.Run("a reset drops the draft", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := filled(t, s, 0)
		d := drafted(t, s, h)
		fresh, err := s.Reset(t.Context(), 0, h.Epoch)
		require.NoError(t, err)
		require.Greater(t, fresh.Generation, d.Generation)
		noDraft(t, s)
	})
	t.Run("a claim raises the draft's epoch", u.testDraftClaimed)
	t.Run("a stranger's commit is fenced and writes nothing", u.testDraftFenced)
	t.Run("only the present epoch begins, publishes and drops", u.testDraftEpoch)
	t.Run("no generation is given twice", u.testGenerations)
	t.Run("live commits go on beside those of the draft", u.testBesideDraft)
}

func (u *suite) testHiddenDraft(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := filled(t, s, 0)
	w := watch(t, s, 1)
	w.lost(t, 1)
	d := drafted(t, s, h)
	got, values := read(t, s, 0, "a", "log")
	require.Equal(t, h, got)
	require.Equal(t, [][]byte{[]byte("old"), []byte("old")}, values)
	got, values = readDraft(t, s, "a", "log", "b")
	require.Equal(t, d, got)
	require.Equal(t, [][]byte{[]byte("new"), []byte("new"), nil}, values)
	c := sketch(0, d)
	c.Delete, c.Changed = []string{"a"}, []string{"account"}
	c.Append = []store.Entry{{Key: "log", Value: []byte("er")}, {Key: "empty"}}
	d = apply(t, s, c)
	got, values = readDraft(t, s, "a", "log", "empty")
	require.Equal(t, d, got)
	require.Equal(t, [][]byte{nil, []byte("newer"), {}}, values)
	require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
	c = next(0, h)
	apply(t, s, c)
	require.Equal(t, store.Change{Epoch: h.Epoch, Cursor: c.Cursor}, w.next(t), "the watcher must see nothing but the live commit")
}

func (u *suite) testPublished(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := filled(t, s, 0)
	w := watch(t, s, 1)
	w.lost(t, 1)
	for range 3 {
		d := drafted(t, s, h)
		got, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
		require.NoError(t, err)
		d.Revision = h.Revision + 1 // it counts what happened to what is live
		require.Equal(t, d, got)
		noDraft(t, s)
		got, values := read(t, s, 0, "a", "b", "log")
		require.Equal(t, d, got)
		require.Equal(t, [][]byte{[]byte("new"), nil, []byte("new")}, values)
		require.Equal(t, store.Change{Epoch: d.Epoch, Generation: d.Generation, Cursor: d.Cursor, Lost: true}, w.next(t))
		require.ErrorIs(t, s.Commit(t.Context(), next(0, h)), store.ErrFenced, "what was live is over")
		c := next(0, d)
		c.Append, c.Changed = []store.Entry{{Key: "log", Value: []byte("er")}}, []string{"account"}
		h = apply(t, s, c)
		require.Equal(t, store.Change{
			Epoch: h.Epoch, Generation: h.Generation, Cursor: h.Cursor, Accounts: c.Changed,
		}, w.next(t))
		_, values = read(t, s, 0, "log")
		require.Equal(t, []byte("newer"), values[0])
	}
}

func (u *suite) testDraftClaimed(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	old := filled(t, s, 0)
	d := drafted(t, s, old)
	h := claim(t, s, 0)
	got, values := readDraft(t, s, "a")
	require.Equal(t, []byte("new"), values[0], "the new owner goes on with it")
	require.ErrorIs(t, s.Commit(t.Context(), sketch(0, d)), store.ErrFenced)
	d.Epoch = h.Epoch
	require.Equal(t, d, got)
	d = apply(t, s, sketch(0, d))
	got, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
	require.NoError(t, err)
	require.Equal(t, d, got)
}

func (u *suite) testDraftFenced(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := filled(t, s, 0)
	d := drafted(t, s, h)
	wrong := map[string]func(*store.Commit){
		"an older epoch":       func(c *store.Commit) { c.Epoch-- },
		"a newer epoch":        func(c *store.Commit) { c.Epoch++ },
		"the live generation":  func(c *store.Commit) { c.Generation = h.Generation },
		"a generation to come": func(c *store.Commit) { c.Generation++ },
		"a cursor left behind": func(c *store.Commit) { c.From-- },
		"the live cursor":      func(c *store.Commit) { c.From = h.Cursor },
	}
	for name, break1 := range wrong {
		c := sketch(0, d)
		c.Put = []store.Entry{{Key: "a", Value: []byte("wrong")}}
		break1(c)
		require.ErrorIs(t, s.Commit(t.Context(), c), store.ErrFenced, name)
	}
	live := next(0, d) // the draft's head, but not as a draft
	require.ErrorIs(t, s.Commit(t.Context(), live), store.ErrFenced)
	got, values := readDraft(t, s, "a")
	require.Equal(t, d, got)
	require.Equal(t, []byte("new"), values[0])
	got, _ = read(t, s, 0)
	require.Equal(t, h, got)
}

func (u *suite) testDraftEpoch(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	old := filled(t, s, 0)
	drafted(t, s, old)
	h := claim(t, s, 0)
	d, _ := readDraft(t, s)
	for _, epoch := range []uint64{0, old.Epoch, h.Epoch - 1, h.Epoch + 1} {
		_, err := s.BeginDraft(t.Context(), 0, epoch)
		require.ErrorIs(t, err, store.ErrFenced)
		_, err = s.Publish(t.Context(), 0, epoch, d.Generation)
		require.ErrorIs(t, err, store.ErrFenced)
		require.ErrorIs(t, s.DropDraft(t.Context(), 0, epoch), store.ErrFenced)
	}
	_, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation+1)
	require.ErrorIs(t, err, store.ErrFenced)
	got, values := readDraft(t, s, "a")
	require.Equal(t, d, got)
	require.Equal(t, []byte("new"), values[0])
}

func (u *suite) testGenerations(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := filled(t, s, 0)
	last := h.Generation
	for range 3 {
		d := drafted(t, s, h)
		require.Greater(t, d.Generation, last, "after a reset")
		last = d.Generation
		require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
		d = drafted(t, s, h)
		require.Greater(t, d.Generation, last, "after a drop")
		last = d.Generation
		d = begin(t, s, 0, h)
		require.Greater(t, d.Generation, last, "in place of another")
		last = d.Generation
		got, values := readDraft(t, s, "a", "log")
		require.Equal(t, d, got)
		require.Equal(t, [][]byte{nil, nil}, values)
		require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
		var err error
		h, err = s.Reset(t.Context(), 0, h.Epoch)
		require.NoError(t, err)
		require.Greater(t, h.Generation, last, "of a reset after a drop")
		last = h.Generation
		_, values = read(t, s, 0, "a", "log")
		require.Equal(t, [][]byte{nil, nil}, values)
	}
}

// testBesideDraft commits to what is live and to the draft at the same time, and publishes.
func (u *suite) testBesideDraft(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	const commits = 50
	h := claim(t, s, 0)
	d := begin(t, s, 0, h)
	run := func(c *store.Commit) error {
		for i := range commits {
			c.Append = []store.Entry{{Key: "log", Value: fmt.Appendf(nil, "%v %d;", c.Draft, i)}}
			if err := s.Commit(context.Background(), c); err != nil {
				return err
			}
			c.From, c.Cursor, c.Revision = c.Cursor, c.Cursor+1, c.Revision+1
		}
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- run(next(0, h)) }()
	require.NoError(t, run(sketch(0, d)))
	require.NoError(t, <-ended)
	want := map[bool][]byte{}
	for i := range commits {
		for _, draft := range []bool{false, true} {
			want[draft] = fmt.Appendf(want[draft], "%v %d;", draft, i)
		}
	}
	got, values := read(t, s, 0, "log")
	require.Equal(t, uint64(commits), got.Cursor)
	require.Equal(t, want[false], values[0])
	_, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
	require.NoError(t, err)
	got, values = read(t, s, 0, "log")
	require.Equal(t, store.Head{Epoch: h.Epoch, Generation: d.Generation, Cursor: commits, Revision: commits + 1}, got)
	require.Equal(t, want[true], values[0])
}
