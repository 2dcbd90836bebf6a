package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/store/storetest"
)

// forget removes all keys with a prefix from all servers of a cluster that take writes.
func forget(t *testing.T, cluster *redistest.Cluster, prefix string) {
	t.Helper()
	for _, node := range cluster.Nodes {
		c := node.Client()
		keys, err := c.Keys(t.Context(), prefix+"*").Result()
		require.NoError(t, err)
		for _, k := range keys {
			if err := c.Del(t.Context(), k).Err(); err != nil {
				require.True(t, strings.HasPrefix(err.Error(), "MOVED"), "%v", err) // of a replica
			}
		}
		require.NoError(t, c.Close())
	}
}

// TestCluster runs what leaves a cluster as it was, on one cluster: starting one takes seconds.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	t.Run("conformance", func(t *testing.T) { testClusterConformance(t, cluster) })
	t.Run("check", func(t *testing.T) { testClusterCheck(t, cluster) })
	t.Run("moves", func(t *testing.T) { testMoves(t, cluster) })
}

func testClusterConformance(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	var mu sync.Mutex
	prefixes := map[store.Store]string{}
	var count atomic.Int64
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		prefix := fmt.Sprintf("test%d:", count.Add(1))
		s := open(t, redis.Options{URL: cluster.URL(), Prefix: prefix})
		mu.Lock()
		defer mu.Unlock()
		prefixes[s] = prefix
		return s
	}, storetest.FallBack(func(t *testing.T, s store.Store) {
		t.Helper()
		mu.Lock()
		prefix := prefixes[s]
		mu.Unlock()
		forget(t, cluster, prefix)
	}))
}
