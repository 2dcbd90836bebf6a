package redis_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/store/storetest"
)

func open(t testing.TB, o redis.Options) *redis.Store {
	t.Helper()
	s, err := redis.Open(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	client := server.Client()
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	var mu sync.Mutex
	prefixes := map[store.Store]string{}
	var count atomic.Int64
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		prefix := fmt.Sprintf("test%d:", count.Add(1))
		s := open(t, redis.Options{URL: server.URL(), Prefix: prefix})
		mu.Lock()
		defer mu.Unlock()
		prefixes[s] = prefix
		return s
	}, storetest.FallBack(func(t *testing.T, s store.Store) {
		t.Helper()
		mu.Lock()
		prefix := prefixes[s]
		mu.Unlock()
		keys, err := client.Keys(t.Context(), prefix+"*").Result()
		require.NoError(t, err)
		require.NoError(t, client.Del(t.Context(), keys...).Err())
	}))
}
