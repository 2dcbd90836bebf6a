package eventlog_test

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
)

// spread makes a write of n events over many accounts, as a HTTP batch brings them.
func spread(log *eventlog.Log, seed, n int) []eventlog.Item {
	all := make([]eventlog.Item, n)
	for i := range all {
		account := fmt.Sprintf("account-%d", (seed*7919+i*104729)%100_000)
		all[i] = eventlog.Item{
			Partition: log.Layout().Partition("default", account),
			Record:    record(account, fmt.Sprintf("0190b2c4-7a3e-7c11-9f00-%06d%06d", seed, i)),
		}
	}

	return all
}

// BenchmarkWrite writes 100 events a call from 64 goroutines; the figure is events a second.
func BenchmarkWrite(b *testing.B) {
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("fsync=%t", sync), func(b *testing.B) {
			log := newBundle(b, natsserver.Options{SyncAlways: sync}).open(b, eventlog.Options{})
			benchmarkWrite(b, log, 64)
		})
	}
}

func benchmarkWrite(b *testing.B, log *eventlog.Log, goroutines int) {
	b.Helper()

	w := newWriter(b, log, eventlog.WriterOptions{})
	writes := make([][]eventlog.Item, 256)
	for i := range writes {
		writes[i] = spread(log, i, 100)
	}

	before, err := log.Info(b.Context(), 0)
	require.NoError(b, err)
	b.ResetTimer()

	work := make(chan int)
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for i := range work {
				_, err := w.Write(context.Background(), writes[i%len(writes)])
				if err != nil {
					b.Error(err)
				}
			}
		})
	}

	start := time.Now()
	for i := range b.N {
		work <- i
	}
	close(work)
	group.Wait()

	took := time.Since(start)
	after, err := log.Info(b.Context(), 0)
	require.NoError(b, err)
	b.ReportMetric(float64(b.N*100)/took.Seconds(), "events/s")
	b.ReportMetric(float64(b.N*100)/float64(after.Last-before.Last), "events/message")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWriteIdle is the latency of one write at a time, of one event.
func BenchmarkWriteIdle(b *testing.B) {
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("fsync=%t", sync), func(b *testing.B) {
			log := newBundle(b, natsserver.Options{SyncAlways: sync}).open(b, eventlog.Options{})
			w := newWriter(b, log, eventlog.WriterOptions{})
			took := make([]float64, 0, b.N)

			for i := range b.N {
				time.Sleep(10 * time.Millisecond)
				start := time.Now()
				_, err := w.Write(b.Context(), spread(log, i, 1))
				require.NoError(b, err)
				took = append(took, time.Since(start).Seconds()*1000)
			}

			sort.Float64s(took)
			b.ReportMetric(took[len(took)/2], "p50-ms")
			b.ReportMetric(took[len(took)*99/100], "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkRead drains a backlog; b.N counts events.
func BenchmarkRead(b *testing.B) {
	log := newBundle(b, natsserver.Options{}).open(b, eventlog.Options{})
	w := newWriter(b, log, eventlog.WriterOptions{QueueBytes: 1 << 30})
	fill(b, log, w, 200_000)
	b.ResetTimer()

	start, events := time.Now(), 0
	for events < b.N {
		for _, m := range readAll(b, log, 0, 0) {
			events += len(m.Records)
		}
	}

	b.ReportMetric(float64(events)/time.Since(start).Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkReadSingle drains messages of one event each, the worst case.
func BenchmarkReadSingle(b *testing.B) {
	bundle := newBundle(b, natsserver.Options{})
	log := bundle.open(b, eventlog.Options{})
	js, err := jetstream.New(bundle.conn, jetstream.WithPublishAsyncMaxPending(4000))
	require.NoError(b, err)

	data := encode(b, record("acme", "0190b2c4-7a3e-7c11-9f00-000000000000"))
	for range 200_000 {
		_, err := js.PublishAsync("events.0", data, jetstream.WithStallWait(time.Minute))
		require.NoError(b, err)
	}
	<-js.PublishAsyncComplete()
	b.ResetTimer()

	start, events := time.Now(), 0
	for events < b.N {
		events += len(readAll(b, log, 0, 0))
	}

	b.ReportMetric(float64(events)/time.Since(start).Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
}

func fill(b *testing.B, log *eventlog.Log, w *eventlog.Writer, events int) {
	b.Helper()

	var group sync.WaitGroup
	for g := range 32 {
		group.Go(func() {
			for i := range events / 32 / 100 {
				if _, err := w.Write(context.Background(), spread(log, g*1000+i, 100)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkRawPublish is what JetStream does with single messages of 300 bytes, published async, window 4000: the
// figure against which the others stand.
func BenchmarkRawPublish(b *testing.B) {
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("fsync=%t", sync), func(b *testing.B) {
			bundle := newBundle(b, natsserver.Options{SyncAlways: sync})
			js, err := jetstream.New(bundle.conn, jetstream.WithPublishAsyncMaxPending(4000))
			require.NoError(b, err)
			_, err = js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw"}})
			require.NoError(b, err)

			payload := make([]byte, 300)
			b.ResetTimer()

			start := time.Now()
			for range b.N {
				_, err := js.PublishAsync("raw", payload, jetstream.WithStallWait(time.Minute))
				require.NoError(b, err)
			}
			<-js.PublishAsyncComplete()
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "events/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
