package redis

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis/redistest"
)

func TestUnlink(t *testing.T) {
	t.Parallel()
	t.Run("values that are live again after a fall-back are left alone", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, err := Open(t.Context(), Options{URL: server.URL()})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		h, err := s.Claim(t.Context(), 0)
		require.NoError(t, err)
		require.NoError(t, s.Commit(t.Context(), &store.Commit{
			Epoch: h.Epoch, Cursor: 1, Put: []store.Entry{{Key: "k", Value: []byte("v")}},
		}))
		key := s.keys.of(0).at(0).value + "k"
		todo, found := map[int]uint64{0: 1}, map[int]bool{} // of a reset that Redis has lost
		require.NoError(t, s.unlink(t.Context(), []string{key}, todo, found))
		require.Empty(t, todo)
		require.Empty(t, found)
		_, values, err := s.Read(t.Context(), 0, "k")
		require.NoError(t, err)
		require.Equal(t, []byte("v"), values[0])
	})
	t.Run("the mark of a newer reset stays", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, err := Open(t.Context(), Options{URL: server.URL()})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		mark := s.keys.of(0).stale
		require.NoError(t, s.writes.Set(t.Context(), mark, bytesOf(2), 0).Err())
		require.NoError(t, s.sweepPass(t.Context(), map[int]uint64{0: 1}))
		require.Equal(t, int64(1), s.writes.Exists(t.Context(), mark).Val())
		require.NoError(t, s.sweepPass(t.Context(), map[int]uint64{0: 2}))
		require.Zero(t, s.writes.Exists(t.Context(), mark).Val())
	})
}

func TestEscape(t *testing.T) {
	t.Parallel()
	require.Equal(t, `a\*b\?c\[d\]e\\f:`, escape(`a*b?c[d]e\f:`))
}
