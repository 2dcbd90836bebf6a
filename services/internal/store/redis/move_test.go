package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// slot0 is the slot of partition 0.
const slot0 = 0

// testMoves moves the slot of partition 0 from server to server.
func testMoves(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	t.Run("commits, reads and watches go on while a slot moves", func(t *testing.T) {
		s := open(t, redis.Options{URL: cluster.URL(), Prefix: "moving:"})
		reader := open(t, redis.Options{URL: cluster.URL(), Prefix: "moving:"})
		fillValues(t, s, 0, claimed(t, s, 0), 2000)
		weight := open(t, redis.Options{URL: cluster.URL(), Prefix: "weight:"}) // lies in the same slot
		fillValues(t, weight, 0, claimed(t, weight, 0), 5000)
		v := startView(t, reader, 4, 0)
		h, err := s.Reset(t.Context(), 0, claimed(t, s, 0).Epoch) // the sweep goes on meanwhile
		require.NoError(t, err)
		require.Zero(t, h.Cursor)
		l := startLoad(t, s, 0)
		l.goesOn(t, 50)
		for i := range 4 {
			to := cluster.Nodes[(i+1)%3]
			cluster.MoveSlot(slot0, to, nil)
			l.goesOn(t, 50)
			exact(t, reader, 0)
		}
		h = l.end(t)
		require.Equal(t, l.known, h.Cursor)
		require.Zero(t, l.fenced, "nothing happened that an owner must know of")
		require.Zero(t, l.unknown)
		v.reaches(t, h.Cursor)
		require.Equal(t, 2, v.count(), "the beginning, and the reset")
		c := clientOf(t, cluster.MasterOf(slot0))
		require.Eventually(t, func() bool { // nothing is left of the generation before
			old, err := c.Keys(t.Context(), "moving:*}0:*").Result()
			return err == nil && len(old) == 0
		}, patience, 10*time.Millisecond)
	})
	t.Run("a slot half way takes no commit of new values, says so, and writes nothing", func(t *testing.T) {
		s := open(t, redis.Options{URL: cluster.URL(), Prefix: "half:", Patience: 200 * time.Millisecond})
		h := fillValues(t, s, 0, claimed(t, s, 0), 50)
		begun := time.Now()
		cluster.MoveSlot(slot0, other(cluster, slot0), func() {
			c := entry(0, h)
			err := s.Commit(t.Context(), c)
			require.True(t, store.HasReason(err, store.ReasonClusterDown), "%v", err)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err = s.Commit(ctx, c)
			require.Error(t, err, "the end of the time, or of the wait for an answer")
		})
		t.Logf("refused for %v", time.Since(begun))
		got, seen := values(t, s, 0, 50)
		require.Equal(t, h, got)
		require.Equal(t, 50, seen)
		require.NoError(t, s.Commit(t.Context(), entry(0, h)))
	})
	t.Run("a slot of which all keys have moved is found by ASK, also by a script that is new there", func(t *testing.T) {
		s := open(t, redis.Options{URL: cluster.URL(), Prefix: "asked:"})
		h := fillValues(t, s, 0, claimed(t, s, 0), 1)
		c := &store.Commit{Epoch: h.Epoch, Put: []store.Entry{{Key: "v0", Value: []byte("new")}}, From: h.Cursor, Cursor: h.Cursor + 1}
		c.Lease = store.Lease{Owner: "one", TTL: time.Minute}
		require.NoError(t, s.Commit(t.Context(), c)) // now the lease is there
		to, calls := other(cluster, slot0), 0
		client := clientOf(t, to)
		cluster.MoveSlot(slot0, to, func() {
			if calls++; calls < 2 {
				return
			}
			require.NoError(t, client.ScriptFlush(t.Context()).Err())
			c.From, c.Cursor = c.Cursor, c.Cursor+1
			require.NoError(t, s.Commit(t.Context(), c))
			got, seen, err := s.Read(t.Context(), 0, "v0")
			require.NoError(t, err)
			require.Equal(t, c.Cursor, got.Cursor)
			require.Equal(t, []byte("new"), seen[0])
		})
		got, _, err := s.Read(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, c.Cursor, got.Cursor)
	})
}

// other returns a server that takes writes and does not have a slot.
func other(cluster *redistest.Cluster, slot int) *redistest.Server {
	if at := cluster.MasterOf(slot); at == cluster.Nodes[0] {
		return cluster.Nodes[1]
	}
	return cluster.Nodes[0]
}

// testClusterCheck finds out what is wrong with one of the servers.
func testClusterCheck(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "check:"})
	for i := range 3 {
		node := cluster.Nodes[i]
		t.Run(fmt.Sprintf("server %d would evict", i), func(t *testing.T) {
			c := clientOf(t, node)
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "1gb").Err())
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
			err := s.Check(t.Context())
			require.True(t, store.HasReason(err, store.ReasonEvictingPolicy), "%v", err)
			require.ErrorContains(t, err, node.Addr())
			_, err = redis.Open(t.Context(), redis.Options{URL: cluster.URL()})
			require.True(t, store.HasReason(err, store.ReasonEvictingPolicy), "%v", err)
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
			require.NoError(t, s.Check(t.Context()))
		})
	}
}
