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
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		require.NoError(t, s.Commit(t.Context(), &store.Commit{
			Epoch: h.Epoch, Cursor: 1, Put: []store.Entry{{Key: "k", Value: []byte("v")}},
		}))
		node, err := s.servers.master(t.Context(), "")
		require.NoError(t, err)
		look := map[int]kept{0: {live: string(bytesOf(1))}} // of a reset that Redis has lost
		found := map[int]bool{}
		require.NoError(t, s.unlink(t.Context(), node, []string{s.keys.of(0).at(0).value + "k"}, look, found))
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
		node, err := s.servers.master(t.Context(), "")
		require.NoError(t, err)
		n := s.keys.of(0)
		sweep := func(mark string) int64 {
			done, err := s.scripts.swept.run(t.Context(), node, []string{n.stale, n.absent}, mark).Int64()
			require.NoError(t, err)
			return done
		}
		require.NoError(t, node.Set(t.Context(), n.stale, "newer", 0).Err())
		require.Zero(t, sweep("older"))
		require.Equal(t, int64(1), node.Exists(t.Context(), n.stale).Val())
		require.Equal(t, int64(1), sweep("newer"))
		require.Zero(t, node.Exists(t.Context(), n.stale).Val())
	})
}

func TestEscape(t *testing.T) {
	t.Parallel()
	require.Equal(t, `a\*b\?c\[d\]e\\f:`, escape(`a*b?c[d]e\f:`))
}
