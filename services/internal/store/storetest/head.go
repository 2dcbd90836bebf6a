package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func (u *suite) testHead(t *testing.T) {
	t.Parallel()
	t.Run("a partition never touched has the zero head", func(t *testing.T) {
		t.Parallel()
		h, values := read(t, u.open(t), 7, "a", "b")
		require.Equal(t, store.Head{}, h)
		require.Equal(t, [][]byte{nil, nil}, values)
	})
	t.Run("every claim raises the epoch and keeps the rest", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 0)
		require.Positive(t, h.Epoch)
		c := next(0, h)
		c.Cursor, c.State = 99, []byte("state")
		c.Put = []store.Entry{{Key: "k", Value: []byte("v")}}
		apply(t, s, c)
		for range 5 {
			again := claim(t, s, 0)
			require.Greater(t, again.Epoch, h.Epoch)
			require.Equal(t, uint64(99), again.Cursor)
			require.Equal(t, []byte("state"), again.State)
			stored, values := read(t, s, 0, "k")
			require.Equal(t, again, stored)
			require.Equal(t, []byte("v"), values[0])
			h = again
		}
	})
	t.Run("a state that is nil, empty or long comes back as it was", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 3)
		for _, state := range [][]byte{{}, []byte("x"), make([]byte, 3<<20), {0}, {1}, nil} {
			c := next(3, h)
			c.State = state
			h = apply(t, s, c)
			got, _ := read(t, s, 3)
			require.Equal(t, h, got)
		}
	})
	t.Run("cursors and generations of 64 bits are kept exactly", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 0)
		for _, cursor := range []uint64{1<<53 + 1, 1<<63 + 1, 1<<64 - 1} {
			c := next(0, h)
			c.Cursor = cursor
			h = apply(t, s, c)
			got, _ := read(t, s, 0)
			require.Equal(t, cursor, got.Cursor)
			wrong := next(0, h)
			wrong.From--
			require.ErrorIs(t, s.Commit(t.Context(), wrong), store.ErrFenced)
		}
	})
	t.Run("partitions are independent", u.testIndependent)
}

func (u *suite) testIndependent(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	one, two := claim(t, s, 1), claim(t, s, 2)
	c := next(1, one)
	c.Put = []store.Entry{{Key: "same", Value: []byte("one")}}
	apply(t, s, c)
	h, values := read(t, s, 2, "same")
	require.Equal(t, two, h)
	require.Nil(t, values[0])
	c = next(2, two)
	c.Put = []store.Entry{{Key: "same", Value: []byte("two")}}
	apply(t, s, c)
	_, values = read(t, s, 1, "same")
	require.Equal(t, []byte("one"), values[0])
}
