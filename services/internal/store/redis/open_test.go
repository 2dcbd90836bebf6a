package redis_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// nobody returns an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("several servers that are no cluster are refused", func(t *testing.T) {
		t.Parallel()
		one, two := redistest.StartServer(t), redistest.StartServer(t)
		_, err := redis.Open(t.Context(), redis.Options{URL: one.URL() + "," + two.Addr()})
		require.True(t, store.HasReason(err, store.ReasonRefused), "%v", err)
		require.ErrorContains(t, err, one.Addr())
	})
	t.Run("servers that do not answer are tried until the patience ends", func(t *testing.T) {
		t.Parallel()
		const patience = 300 * time.Millisecond
		begun := time.Now()
		_, err := redis.Open(t.Context(), redis.Options{URL: "redis://" + nobody(t) + "," + nobody(t), Patience: patience})
		require.True(t, store.HasReason(err, store.ReasonUnreachable), "%v", err)
		require.GreaterOrEqual(t, time.Since(begun), patience)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = redis.Open(ctx, redis.Options{URL: "redis://" + nobody(t) + "," + nobody(t)})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("a database of a cluster is refused", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t, "--cluster-enabled", "yes")
		_, err := redis.Open(t.Context(), redis.Options{URL: server.URL() + "/3"})
		require.ErrorContains(t, err, "no database but 0")
	})
	t.Run("a cluster without slots is not whole", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t, "--cluster-enabled", "yes")
		c := clientOf(t, server)
		require.NoError(t, c.ClusterAddSlotsRange(t.Context(), 0, 16000).Err())
		_, err := redis.Open(t.Context(), redis.Options{URL: server.URL()})
		require.True(t, store.HasReason(err, store.ReasonClusterDown), "%v", err)
	})
}

// TestLoading commits to a server that reads its files slowly.
func TestLoading(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t, "--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "2000",
		"--loading-process-events-interval-bytes", "1024")
	c := clientOf(t, server)
	s := open(t, redis.Options{URL: server.URL()})
	h := fillValues(t, s, 0, claimed(t, s, 0), 500)
	require.NoError(t, c.BgRewriteAOF(t.Context()).Err()) // each key is delayed in the file that this makes
	require.Eventually(t, func() bool {
		info, err := c.InfoMap(t.Context(), "persistence").Result()
		return err == nil && info["Persistence"]["aof_rewrite_in_progress"] == "0" && info["Persistence"]["aof_rewrite_scheduled"] == "0"
	}, patience, time.Millisecond)
	server.Kill()
	started := make(chan struct{})
	go func() {
		defer close(started)
		server.Start()
	}()
	require.Eventually(t, func() bool {
		err := c.Ping(t.Context()).Err()
		return err != nil && strings.HasPrefix(err.Error(), "LOADING")
	}, patience, time.Millisecond)
	require.NoError(t, s.Commit(t.Context(), &store.Commit{Epoch: h.Epoch, From: h.Cursor, Cursor: h.Cursor + 1}))
	<-started
}
