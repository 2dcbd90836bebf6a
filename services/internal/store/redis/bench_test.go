package redis_test

import (
	"context"
	"testing"

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
