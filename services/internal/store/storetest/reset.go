package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func (u *suite) testReset(t *testing.T) {
	t.Parallel()
	t.Run("a reset partition is empty at once, in the next generation", u.testEmptied)
	t.Run("a new generation is filled beside nothing", u.testRefilled)
	t.Run("only the present owner can reset", u.testResetFenced)
	t.Run("a commit of the old generation is fenced and writes nothing", u.testOldGeneration)
	t.Run("watchers get Lost, then every later change", u.testResetWatched)
	t.Run("readers see one generation whole, while resets go on", u.testResetRead)
	t.Run("a partition never filled may be reset", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h, err := s.Reset(t.Context(), 0, 0)
		require.NoError(t, err)
		require.Equal(t, store.Head{Generation: 1, Revision: 1}, h)
		require.Equal(t, uint64(1), claim(t, s, 0).Generation)
	})
	t.Run("a reset whose context has ended does nothing", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Reset(ctx, 0, h.Epoch)
		require.ErrorIs(t, err, context.Canceled)
		got, _ := read(t, s, 0)
		require.Equal(t, h, got)
	})
}

// filled commits a state and some values under the keys a, b and log.
func filled(t *testing.T, s store.Store, partition int) store.Head {
	t.Helper()
	c := next(partition, claim(t, s, partition))
	c.Cursor, c.State = 7, []byte("state")
	c.Put = []store.Entry{{Key: "a", Value: []byte("old")}, {Key: "b", Value: []byte("old")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("old")}}
	return apply(t, s, c)
}

// reset begins a new generation and returns its head, which must be what the contract says.
func reset(t *testing.T, s store.Store, partition int, h store.Head) store.Head {
	t.Helper()
	fresh, err := s.Reset(t.Context(), partition, h.Epoch)
	require.NoError(t, err)
	require.Equal(t, store.Head{Epoch: h.Epoch, Generation: h.Generation + 1, Revision: h.Revision + 1}, fresh)
	return fresh
}

func (u *suite) testEmptied(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h, other := filled(t, s, 0), filled(t, s, 1)
	for range 3 {
		h = reset(t, s, 0, h)
		got, values := read(t, s, 0, "a", "b", "log")
		require.Equal(t, h, got)
		require.Equal(t, [][]byte{nil, nil, nil}, values)
	}
	h.Epoch = claim(t, s, 0).Epoch
	got, _ := read(t, s, 0)
	require.Equal(t, h, got, "a claim keeps the generation")
	got, values := read(t, s, 1, "a", "log")
	require.Equal(t, other, got, "other partitions stay")
	require.Equal(t, [][]byte{[]byte("old"), []byte("old")}, values)
}

func (u *suite) testRefilled(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := reset(t, s, 0, filled(t, s, 0))
	c := next(0, h)
	c.State = []byte("new state")
	c.Put = []store.Entry{{Key: "a", Value: []byte("new")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("new")}}
	h = apply(t, s, c)
	got, values := read(t, s, 0, "a", "b", "log")
	require.Equal(t, h, got)
	require.Equal(t, [][]byte{[]byte("new"), nil, []byte("new")}, values, "an append must not find the old end")
	reset(t, s, 0, h)
	_, values = read(t, s, 0, "a", "b", "log")
	require.Equal(t, [][]byte{nil, nil, nil}, values)
}

func (u *suite) testResetFenced(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	old := filled(t, s, 0)
	w := watch(t, s, 1)
	w.lost(t, 1)
	h := claim(t, s, 0)
	for _, epoch := range []uint64{0, old.Epoch, h.Epoch - 1, h.Epoch + 1} {
		_, err := s.Reset(t.Context(), 0, epoch)
		require.ErrorIs(t, err, store.ErrFenced)
	}
	got, values := read(t, s, 0, "a")
	require.Equal(t, h, got)
	require.Equal(t, []byte("old"), values[0])
	apply(t, s, next(0, h))
	require.False(t, w.next(t).Lost, "the watcher must see nothing but the good commit")
}

func (u *suite) testOldGeneration(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	old := filled(t, s, 0)
	h := reset(t, s, 0, old)
	for _, cursor := range []uint64{old.Cursor, 0} {
		c := next(0, store.Head{Epoch: old.Epoch, Generation: old.Generation, Cursor: cursor})
		c.Put = []store.Entry{{Key: "a", Value: []byte("late")}}
		require.ErrorIs(t, s.Commit(t.Context(), c), store.ErrFenced)
	}
	got, values := read(t, s, 0, "a")
	require.Equal(t, h, got)
	require.Nil(t, values[0])
	apply(t, s, next(0, h))
}

func (u *suite) testResetWatched(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := filled(t, s, 1)
	w := watch(t, s, 2)
	w.lost(t, 2)
	for range 3 {
		h = reset(t, s, 1, h)
		require.Equal(t, store.Change{Partition: 1, Epoch: h.Epoch, Generation: h.Generation, Lost: true}, w.next(t))
		for range 2 {
			c := next(1, h)
			c.Changed = []string{"account"}
			h = apply(t, s, c)
			require.Equal(t, store.Change{
				Partition: 1, Epoch: h.Epoch, Generation: h.Generation, Cursor: h.Cursor, Accounts: c.Changed,
			}, w.next(t))
		}
	}
	late := watch(t, s, 2)
	require.Equal(t, store.Change{Partition: 1, Epoch: h.Epoch, Generation: h.Generation, Cursor: h.Cursor, Lost: true}, late.lost(t, 2)[1])
}

// testResetRead reads while an owner commits and resets: what is read must be of the head's generation and cursor.
func (u *suite) testResetRead(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	const generations, commits = 40, 4
	h := claim(t, s, 0)
	ended := make(chan error, 1)
	go func() {
		ended <- func() error {
			for range generations {
				for range commits {
					c := next(0, h)
					c.Put = []store.Entry{{Key: "k", Value: stamp(c.Generation, c.Cursor)}}
					c.Append = []store.Entry{{Key: "log", Value: []byte{'x'}}}
					if err := s.Commit(context.Background(), c); err != nil {
						return fmt.Errorf("committing: %w", err)
					}
					h.Cursor, h.Revision = c.Cursor, h.Revision+1
				}
				var err error
				if h, err = s.Reset(context.Background(), 0, h.Epoch); err != nil {
					return fmt.Errorf("resetting: %w", err)
				}
			}
			return nil
		}()
	}()
	for last := uint64(0); last < generations; {
		head, values := read(t, s, 0, "k", "log")
		require.GreaterOrEqual(t, head.Generation, last)
		last = head.Generation
		require.Len(t, values[1], int(head.Cursor))
		if head.Cursor == 0 {
			require.Nil(t, values[0])
			continue
		}
		require.Equal(t, stamp(head.Generation, head.Cursor), values[0])
	}
	require.NoError(t, <-ended)
}

func stamp(generation, cursor uint64) []byte { return fmt.Appendf(nil, "%d/%d", generation, cursor) }
