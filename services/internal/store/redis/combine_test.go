package redis_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

func TestManyReadsAtOnce(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s, err := redis.Open(t.Context(), redis.Options{URL: server.URL()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	const partitions, keys = 4, 50
	for p := range partitions {
		head, err := s.Claim(t.Context(), p, store.Lease{})
		require.NoError(t, err)
		c := &store.Commit{Partition: p, Epoch: head.Epoch, Generation: head.Generation, From: head.Cursor, Cursor: 7}
		for k := range keys {
			c.Put = append(c.Put, store.Entry{Key: fmt.Sprint("k", k), Value: fmt.Append(nil, p, " ", k)})
		}
		require.NoError(t, s.Commit(t.Context(), c))
	}

	// Some callers go away; each of the others gets what it asked for.
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range 50 {
				p, k := (g+i)%partitions, (g*7+i)%keys
				ctx, cancel := context.WithCancel(t.Context())
				if (g+i)%5 == 0 {
					go cancel()
				}
				head, values, err := s.Read(ctx, p, fmt.Sprint("k", k), "absent")
				left := ctx.Err() != nil
				cancel()
				if left && err != nil {
					continue
				}
				if err != nil || head.Cursor != 7 || string(values[0]) != fmt.Sprint(p, " ", k) || values[1] != nil {
					t.Errorf("partition %d key %d: %v, %q, %v", p, k, head, values, err)
				}
			}
		})
	}
	wg.Wait()

	server.Kill()
	for range 64 {
		wg.Go(func() {
			if _, _, err := s.Read(t.Context(), 0, "k1"); err == nil {
				t.Error("a read of a server that is gone")
			}
		})
	}
	wg.Wait()
}
