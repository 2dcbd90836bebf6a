package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// write puts n messages of one record each into partition 0; ids are prefix0-0, prefix1-0, ...
func write(t testing.TB, w *eventlog.Writer, prefix string, n int) {
	t.Helper()

	for i := range n {
		_, err := w.Write(ctxOf(t), items(0, fmt.Sprintf("%s%d", prefix, i), 1))
		require.NoError(t, err)
	}
}

// reading is a Read under way.
type reading struct {
	seen   chan *eventlog.Message
	result chan error
	stop   func()
}

func startReading(t testing.TB, log *eventlog.Log, from uint64) *reading {
	t.Helper()

	return startReadingOf(t, log, 0, from)
}

func startReadingOf(t testing.TB, log *eventlog.Log, stream int, from uint64) *reading {
	t.Helper()

	ctx, cancel := context.WithCancel(ctxOf(t))
	r := &reading{seen: make(chan *eventlog.Message, 100_000), result: make(chan error, 1), stop: cancel}

	go func() {
		r.result <- log.Read(ctx, stream, from, func(m *eventlog.Message) error {
			r.seen <- m

			return nil
		})
	}()

	return r
}

// take waits for the next message and checks its sequence.
func (r *reading) take(t testing.TB, sequence uint64) *eventlog.Message {
	t.Helper()

	select {
	case m := <-r.seen:
		require.Equal(t, sequence, m.Sequence)

		return m
	case err := <-r.result:
		require.NoError(t, err, "reading ended")
	case <-time.After(patience):
		require.Fail(t, "no message", "sequence %d", sequence)
	}

	return nil
}

// end waits for Read to return.
func (r *reading) end(t testing.TB) error {
	t.Helper()

	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		require.Fail(t, "reading goes on")

		return nil
	}
}

func TestRead(t *testing.T) {
	t.Parallel()

	log := openLog(t, eventlog.Options{})
	write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 20)

	t.Run("gives every message from a sequence on, once and in order", func(t *testing.T) {
		t.Parallel()

		for _, from := range []uint64{0, 1, 7, 20} {
			all := readAll(t, log, 0, from)
			require.Len(t, all, 21-int(max(from, 1)))

			for i, m := range all {
				require.Equal(t, max(from, 1)+uint64(i), m.Sequence)
				require.Equal(t, uint64(len(all)-i-1), m.Pending)
				require.Equal(t, []string{fmt.Sprintf("m%d-0", m.Sequence-1)}, ids(m.Records))
			}
		}
	})

	t.Run("waits at the end until its context does", func(t *testing.T) {
		t.Parallel()

		r := startReading(t, log, 20)
		r.take(t, 20)
		r.stop()
		require.ErrorIs(t, r.end(t), context.Canceled)
	})

	t.Run("ends with the error of its function", func(t *testing.T) {
		t.Parallel()

		stop, calls := errors.New("enough"), 0
		err := log.Read(ctxOf(t), 0, 1, func(*eventlog.Message) error {
			calls++

			return stop
		})
		require.ErrorIs(t, err, stop)
		require.Equal(t, 1, calls)
	})
}

func TestReadLive(t *testing.T) {
	t.Parallel()

	log := openLog(t, eventlog.Options{})
	w := newWriter(t, log, eventlog.WriterOptions{})
	r := startReading(t, log, 1)

	t.Run("an empty log is no error, and what comes is given soon", func(t *testing.T) {
		for i := range uint64(20) {
			write(t, w, "live", 1)
			m := r.take(t, i+1)
			require.Zero(t, m.Pending)
		}
	})

	t.Run("what cannot be decoded is given with its error", func(t *testing.T) {
		ack, err := log.JetStream().PublishMsg(ctxOf(t), &nats.Msg{
			Subject: "events.3", Data: []byte("garbage"), Header: nats.Header{"x": {"y"}},
		})
		require.NoError(t, err)

		m := r.take(t, ack.Sequence)
		require.ErrorIs(t, m.Err, eventlog.ErrPoison)
		require.Nil(t, m.Records)
		require.Equal(t, []byte("garbage"), m.Data)
		require.Equal(t, 3, m.Partition)
		require.Equal(t, "y", eventlog.Carrier(m.Header).Get("X"))

		write(t, w, "after", 1)
		require.NoError(t, r.take(t, ack.Sequence+1).Err)
	})

	t.Run("messages deleted one by one are passed over", func(t *testing.T) {
		write(t, w, "hole", 5)

		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
		require.NoError(t, err)

		last := stream.CachedInfo().State.LastSeq
		require.NoError(t, stream.DeleteMsg(ctxOf(t), last-1))
		require.NoError(t, stream.DeleteMsg(ctxOf(t), last-2))

		all := readAll(t, log, 0, last-3)
		require.Len(t, all, 2)
		require.Equal(t, last, all[1].Sequence)
	})
}

func TestReadGuards(t *testing.T) {
	t.Parallel()

	t.Run("a place that the log has not reached is a lost tail", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 3)

		err := log.Read(ctxOf(t), 0, 5, func(*eventlog.Message) error { return nil })
		require.ErrorIs(t, err, eventlog.ErrLostTail)
		require.Equal(t, codes.DataLoss, status.Code(err))

		r := startReading(t, log, 4) // the next to come is fine
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "next", 1)
		r.take(t, 4)
	})

	t.Run("a place before the log's first message is trimmed", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 4)

		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
		require.NoError(t, err)
		require.NoError(t, stream.DeleteMsg(ctxOf(t), 1))
		require.NoError(t, stream.DeleteMsg(ctxOf(t), 2))

		for _, from := range []uint64{1, 2} {
			err := log.Read(ctxOf(t), 0, from, func(*eventlog.Message) error { return nil })
			require.ErrorIs(t, err, eventlog.ErrTrimmed)
		}

		require.Len(t, readAll(t, log, 0, 0), 2, "from 0 is what there is")
	})

	t.Run("a stream deleted under a reader is gone", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 1)

		r := startReading(t, log, 1)
		r.take(t, 1)
		require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS"))
		require.ErrorIs(t, r.end(t), eventlog.ErrStreamGone)
	})

	t.Run("a stream made again under a reader is gone", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 1)

		r := startReading(t, log, 1)
		r.take(t, 1)
		remake(t, log)
		require.ErrorIs(t, r.end(t), eventlog.ErrStreamGone)
	})
}

// A server that comes back with an older copy of its files has lost what a reader has seen.
func TestReadLostTail(t *testing.T) {
	t.Parallel()

	for name, rewritten := range map[string]int{
		"and is shorter than what was read":              0,
		"and has been written anew beyond what was read": 5,
	} {
		t.Run("the log lost its tail "+name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			options := natsserver.Options{Dir: dir, Listen: true, Port: natstest.Port(t)}
			server, err := natsserver.Start(options)
			require.NoError(t, err)

			conn := dial(t, server.ClientURL())
			log, err := eventlog.Open(ctxOf(t), conn, eventlog.Options{})
			require.NoError(t, err)
			write(t, newWriter(t, log, eventlog.WriterOptions{}), "old", 3)
			server.Shutdown()

			copied := t.TempDir()
			require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))

			server, err = natsserver.Start(options)
			require.NoError(t, err)
			write(t, newWriter(t, log, eventlog.WriterOptions{}), "lost", 2)

			var hold atomic.Bool

			release := make(chan struct{})
			seen := make(chan uint64, 100)
			result := make(chan error, 1)

			go func() {
				result <- log.Read(ctxOf(t), 0, 1, func(m *eventlog.Message) error {
					seen <- m.Sequence
					if m.Sequence == 5 && hold.CompareAndSwap(false, true) {
						<-release // until the server has changed behind the reader
					}

					return nil
				})
			}()

			for want := uint64(1); want <= 5; want++ {
				require.Equal(t, want, <-seen)
			}

			server.Shutdown()

			options.Dir = copied
			server, err = natsserver.Start(options)
			require.NoError(t, err)
			t.Cleanup(server.Shutdown)

			write(t, newWriter(t, log, eventlog.WriterOptions{}), "new", rewritten)
			close(release)
			require.ErrorIs(t, <-result, eventlog.ErrLostTail)
			require.Empty(t, seen)
		})
	}
}
