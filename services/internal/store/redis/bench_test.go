package redis_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/store/storetest"
)

// BenchmarkStore shows the store beside the bare commands that move the same bytes.
func BenchmarkStore(b *testing.B) {
	server := redistest.StartServer(b, redistest.Durable()...)
	storetest.Bench(b, func(b *testing.B) store.Store {
		b.Helper()
		server.Wipe()
		return open(b, redis.Options{URL: server.URL()})
	})
	client := server.Client()
	defer func() { _ = client.Close() }()
	b.Run("plain MSET of 500", func(b *testing.B) {
		server.Wipe()
		puts, _ := storetest.BenchEntries(0, 10_000)
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			args := make([]any, 0, 2*storetest.BenchAccounts)
			for _, e := range puts[i*storetest.BenchAccounts%len(puts):][:storetest.BenchAccounts] {
				args = append(args, e.Key, e.Value)
			}
			if err := client.MSet(context.Background(), args...).Err(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*storetest.BenchAccounts/b.Elapsed().Seconds(), "accounts/s")
	})
	b.Run("plain GET of one", func(b *testing.B) {
		puts, _ := storetest.BenchEntries(0, 1)
		if err := client.Set(context.Background(), puts[0].Key, puts[0].Value, 0).Err(); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if err := client.Get(context.Background(), puts[0].Key).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCluster is BenchmarkStore over a cluster, and many partitions at once: of one server, and of a cluster.
func BenchmarkCluster(b *testing.B) {
	cluster := redistest.StartCluster(b, redistest.Durable()...)
	storetest.Bench(b, func(b *testing.B) store.Store {
		b.Helper()
		return open(b, redis.Options{URL: cluster.URL(), Prefix: b.Name() + strconv.Itoa(b.N) + ":"})
	})
	server := redistest.StartServer(b, redistest.Durable()...)
	for name, url := range map[string]string{"one server": server.URL(), "a cluster": cluster.URL()} {
		b.Run("commits of 50 to 16 partitions of "+name, func(b *testing.B) {
			benchMany(b, open(b, redis.Options{URL: url, Prefix: b.Name() + strconv.Itoa(b.N) + ":"}))
		})
	}
}

// benchMany shares b.N commits among owners of 16 partitions, with leases.
func benchMany(b *testing.B, s store.Store) {
	b.Helper()
	const partitions, accounts = 16, 50
	puts, ids := storetest.BenchEntries(0, accounts)
	lease := store.Lease{Owner: "owner", Deployment: "deployment", TTL: time.Minute}
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for p := range partitions {
		group.Go(func() {
			h, err := s.Claim(context.Background(), p, lease)
			for err == nil && left.Add(-1) >= 0 {
				err = s.Commit(context.Background(), &store.Commit{
					Partition: p, Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1,
					Put: puts, Changed: ids, Lease: lease,
				})
				h.Cursor++
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
