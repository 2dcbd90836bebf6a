package eventlog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
)

func TestWrite(t *testing.T) {
	t.Parallel()

	t.Run("puts the records of a call into one message per partition, in order", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})

		mixed := items(1, "one", 50)
		for i, item := range items(2, "two", 50) {
			mixed = append(mixed[:2*i+1], append([]eventlog.Item{item}, mixed[2*i+1:]...)...)
		}

		token, err := w.Write(ctxOf(t), mixed)
		require.NoError(t, err)

		all := readAll(t, log, 0, 0)
		require.Len(t, all, 2)

		for _, m := range all {
			require.NoError(t, m.Err)
			require.Len(t, m.Records, 50)
			require.Equal(t, m.Sequence, pairs(token)[m.Partition])

			for i, id := range ids(m.Records) {
				require.Equal(t, fmt.Sprintf("%s-%d", map[int]string{1: "one", 2: "two"}[m.Partition], i), id)
			}
		}
	})

	t.Run("of nothing is nothing", func(t *testing.T) {
		t.Parallel()

		token, err := newWriter(t, openLog(t, eventlog.Options{}), eventlog.WriterOptions{}).Write(ctxOf(t), nil)
		require.NoError(t, err)
		require.Empty(t, token.String())
	})

	t.Run("sends every partition to its stream", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{Partitions: 6, Streams: 3})
		w := newWriter(t, log, eventlog.WriterOptions{})

		for partition := range 6 {
			_, err := w.Write(ctxOf(t), items(partition, fmt.Sprint(partition), 1))
			require.NoError(t, err)
		}

		for stream := range 3 {
			all := readAll(t, log, stream, 1)
			require.Len(t, all, 2)

			for _, m := range all {
				require.Equal(t, stream, log.Layout().Stream(m.Partition))
				require.Equal(t, stream, m.Stream)
			}
		}
	})

	t.Run("refuses what belongs to no partition, and writes none of the call", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})

		for _, bad := range []eventlog.Item{
			{Partition: 16, Record: record("a", "b")}, {Partition: -1, Record: record("a", "b")}, {Partition: 1},
		} {
			_, err := w.Write(ctxOf(t), append(items(1, "a", 2), bad))
			require.ErrorIs(t, err, eventlog.ErrLayout)
		}

		require.Zero(t, w.Queued())
		require.Empty(t, readAll(t, log, 0, 0))
	})

	t.Run("carries the trace of a caller", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})
		span := trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
		})
		_, err := w.Write(trace.ContextWithSpanContext(ctxOf(t), span), items(0, "a", 1))
		require.NoError(t, err)
		require.Equal(t, "00-01000000000000000000000000000000-0200000000000000-01",
			eventlog.Carrier(readAll(t, log, 0, 0)[0].Header).Get("Traceparent"))
	})

	t.Run("sends no headers without a trace", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		_, err := newWriter(t, log, eventlog.WriterOptions{}).Write(ctxOf(t), items(0, "a", 1))
		require.NoError(t, err)
		require.Empty(t, readAll(t, log, 0, 0)[0].Header)
	})
}

func TestGroupCommit(t *testing.T) {
	t.Parallel()

	t.Run("ten thousand callers at once share few messages", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})
		ctx := ctxOf(t)

		var group sync.WaitGroup

		for i := range 10_000 {
			group.Go(func() {
				token, err := w.Write(ctx, items(i%16, fmt.Sprintf("call%d", i), 1))
				if err != nil || len(pairs(token)) != 1 {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}

		group.Wait()

		seen := map[string]int{}
		messages := readAll(t, log, 0, 0)

		for _, m := range messages {
			for _, id := range ids(m.Records) {
				seen[id]++
			}
		}

		require.Len(t, seen, 10_000)
		require.Less(t, len(messages), 3000)
		require.Zero(t, w.Queued())

		for id, n := range seen {
			require.Equal(t, 1, n, id)
		}
	})

	t.Run("waits for no gathering when idle", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{Gather: time.Hour})
		_, err := w.Write(ctxOf(t), items(0, "a", 1))
		require.NoError(t, err)
		_, err = w.Write(ctxOf(t), items(1, "b", 1))
		require.NoError(t, err, "another partition is idle still")
	})

	t.Run("gathers what comes soon after a batch, and sends a whole batch at once", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{Gather: time.Hour, BatchBytes: 1500})
		_, err := w.Write(ctxOf(t), items(0, "first", 1))
		require.NoError(t, err)

		var group sync.WaitGroup

		for i := range 20 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()

				if _, err := w.Write(ctx, items(0, fmt.Sprintf("next%d", i), 1)); err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded) // the rest of a batch is still gathering
				}
			})
		}

		group.Wait()

		messages := readAll(t, log, 0, 0)
		require.Len(t, messages[0].Records, 1)
		require.Greater(t, len(messages), 1)
		require.Less(t, len(messages), 5)
		// Close must not wait an hour: it ends the gathering.
	})
}

func TestLargeWrite(t *testing.T) {
	t.Parallel()

	t.Run("that exceeds a message is cut, in order, and the token names the last part", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})
		token, err := w.Write(ctxOf(t), items(4, strings.Repeat("x", 200), 10_000))
		require.NoError(t, err)
		require.Zero(t, w.Queued())

		messages := readAll(t, log, 0, 0)
		require.Len(t, messages, 3)

		var got []string
		for _, m := range messages {
			require.LessOrEqual(t, len(m.Data), w.Limit())
			got = append(got, ids(m.Records)...)
		}

		require.Len(t, got, 10_000)

		for i, id := range got {
			require.Equal(t, fmt.Sprintf("%s-%d", strings.Repeat("x", 200), i), id)
		}

		require.Equal(t, messages[2].Sequence, pairs(token)[4])
	})

	t.Run("of one record that no message can hold is refused", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := newWriter(t, log, eventlog.WriterOptions{})
		huge := append(items(1, "small", 1), items(1, strings.Repeat("x", 1<<20), 1)...)
		_, err := w.Write(ctxOf(t), huge)
		require.ErrorIs(t, err, eventlog.ErrTooLarge)
		require.Equal(t, codes.InvalidArgument, status.Code(err))
		require.Zero(t, w.Queued())

		fits := strings.Repeat("x", w.Limit()-200)
		_, err = w.Write(ctxOf(t), items(1, fits, 1))
		require.NoError(t, err)
	})
}

func TestFull(t *testing.T) {
	t.Parallel()

	b := newBundle(t, natsserver.Options{})
	log := b.open(t, eventlog.Options{MaxBytes: 256 << 10})
	w := newWriter(t, log, eventlog.WriterOptions{})

	var (
		err     error
		written int
	)
	for err == nil {
		if _, err = w.Write(ctxOf(t), items(0, fmt.Sprint(written), 100)); err == nil {
			written++
		}
	}

	require.ErrorIs(t, err, eventlog.ErrFull)
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.Len(t, readAll(t, log, 0, 1), written, "nothing old was dropped")

	b.open(t, eventlog.Options{MaxBytes: 1 << 20})

	_, err = w.Write(ctxOf(t), items(0, "after", 100))
	require.NoError(t, err, "a larger cap takes effect at once")
}

func TestClose(t *testing.T) {
	t.Parallel()

	t.Run("waits for what is under way, then refuses", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		w := log.NewWriter(eventlog.WriterOptions{})
		ctx := ctxOf(t)
		results := make(chan error, 100)

		for i := range cap(results) {
			go func() {
				_, err := w.Write(ctx, items(i%16, fmt.Sprint(i), 10))
				results <- err
			}()
		}

		require.NoError(t, <-results)
		require.NoError(t, w.Close(ctx))
		require.NoError(t, w.Close(ctx), "twice is once")

		written := 1

		for range cap(results) - 1 {
			if err := <-results; err == nil {
				written++
			} else {
				require.ErrorIs(t, err, eventlog.ErrClosed)
			}
		}

		records := 0
		for _, m := range readAll(t, log, 0, 0) {
			records += len(m.Records)
		}

		require.Equal(t, 10*written, records)

		_, err := w.Write(ctx, items(0, "late", 1))
		require.ErrorIs(t, err, eventlog.ErrClosed)
	})

	t.Run("ends with its context, and fails what is left", func(t *testing.T) {
		t.Parallel()

		log, stop, _ := stoppable(t)
		w := log.NewWriter(eventlog.WriterOptions{Gather: time.Hour})
		_, err := w.Write(ctxOf(t), items(0, "a", 1))
		require.NoError(t, err)
		stop()

		results := make(chan error, 2)

		for partition := range 2 { // one gathers, one is on its way
			go func() {
				_, err := w.Write(context.Background(), items(partition, "b", 1))
				results <- err
			}()
		}

		require.Eventually(t, func() bool { return w.Queued() > 150 }, patience, time.Millisecond)

		ctx, cancel := context.WithTimeout(ctxOf(t), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, w.Close(ctx), context.DeadlineExceeded)
		require.ErrorIs(t, <-results, eventlog.ErrClosed)
		require.ErrorIs(t, <-results, eventlog.ErrClosed)
		require.Zero(t, w.Queued())
	})
}
