package redis_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// tearAOF puts the beginning of a transaction at the end of the append-only file, as a power cut leaves it: one
// command of it is whole, the next is not.
func tearAOF(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	f, err := os.OpenFile(files[len(files)-1], os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$4\r\nto")
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestTornTransaction(t *testing.T) {
	t.Parallel()
	t.Run("half a commit that a power cut left is not applied at a later start", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t, "--appendonly", "yes", "--appendfsync", "always")
		s, c := open(t, redis.Options{URL: server.URL()}), clientOf(t, server)
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		for round := range uint64(2) {
			require.NoError(t, s.Commit(t.Context(), &store.Commit{
				Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1, State: []byte{1},
				Append: []store.Entry{{Key: "k", Value: []byte{byte(round)}}},
			}))
			server.Kill()
			tearAOF(t, server.Dir())
			server.Start()
			require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, patience, 10*time.Millisecond)
			h, err = s.Claim(t.Context(), 0, store.Lease{})
			require.NoError(t, err)
			require.Equal(t, round+1, h.Cursor)
		}
		_, values, err := s.Read(t.Context(), 0, "k")
		require.NoError(t, err)
		require.Equal(t, []byte{0, 1}, values[0])
		n, err := c.Exists(t.Context(), "torn").Result()
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
