package eventlog_test

import (
	"context"
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

// dial connects over TCP, and comes back by itself.
func dial(t testing.TB, address string) *nats.Conn {
	t.Helper()

	conn, err := nats.Connect(address, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers())
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	return conn
}

// stoppable is a log over TCP whose server can be stopped, and started again on the same files.
func stoppable(t testing.TB) (log *eventlog.Log, stop, start func()) {
	t.Helper()

	options := natsserver.Options{Dir: t.TempDir(), Listen: true, Port: natstest.Port(t)}

	server, err := natsserver.Start(options)
	require.NoError(t, err)
	t.Cleanup(func() { server.Shutdown() })

	conn := dial(t, server.ClientURL())

	log, err = eventlog.Open(ctxOf(t), conn, eventlog.Options{})
	require.NoError(t, err)

	stop = func() {
		server.Shutdown()
		require.Eventually(t, func() bool { return !conn.IsConnected() }, patience, time.Millisecond)
	}
	start = func() {
		server, err = natsserver.Start(options)
		require.NoError(t, err)
	}

	return log, stop, start
}

func TestOutage(t *testing.T) {
	t.Parallel()

	t.Run("a write waits for the server to come back", func(t *testing.T) {
		t.Parallel()

		log, stop, start := stoppable(t)
		w := newWriter(t, log, eventlog.WriterOptions{})
		stop()

		result := make(chan error, 1)

		go func() {
			_, err := w.Write(context.Background(), items(0, "a", 2))
			result <- err
		}()

		require.Eventually(t, func() bool { return w.Queued() > 0 }, patience, time.Millisecond)
		start()
		require.NoError(t, <-result)

		all := readAll(t, log, 0, 0)
		require.Len(t, all, 1, "it is sent once")
		require.Equal(t, []string{"a-0", "a-1"}, ids(all[0].Records))
	})

	t.Run("a write that waits too long is unavailable", func(t *testing.T) {
		t.Parallel()

		log, stop, _ := stoppable(t)
		w := newWriter(t, log, eventlog.WriterOptions{AckTimeout: 100 * time.Millisecond})
		stop()

		_, err := w.Write(ctxOf(t), items(0, "a", 1))
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Zero(t, w.Queued())
	})

	t.Run("a large write fails as a whole, and leaves nothing behind in the queue", func(t *testing.T) {
		t.Parallel()

		log, stop, _ := stoppable(t)
		w := newWriter(t, log, eventlog.WriterOptions{AckTimeout: 100 * time.Millisecond})
		stop()

		_, err := w.Write(ctxOf(t), items(0, string(make([]byte, 1000)), 3000))
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
		require.Zero(t, w.Queued())
	})

	t.Run("a caller that gives up harms no other", func(t *testing.T) {
		t.Parallel()

		log, stop, start := stoppable(t)
		w := newWriter(t, log, eventlog.WriterOptions{})
		stop()

		patient := make(chan error, 1)

		go func() {
			_, err := w.Write(context.Background(), items(0, "patient", 3))
			patient <- err
		}()

		require.Eventually(t, func() bool { return w.Queued() > 0 }, patience, time.Millisecond)

		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()

		_, err := w.Write(ctx, items(0, "hasty", 3))
		require.ErrorIs(t, err, context.DeadlineExceeded)

		_, err = w.Write(ctx, items(0, "never", 3))
		require.ErrorIs(t, err, context.DeadlineExceeded, "a context that has ended writes nothing")

		start()
		require.NoError(t, <-patient)
		require.Eventually(t, func() bool { return w.Queued() == 0 }, patience, time.Millisecond)

		var got []string
		for _, m := range readAll(t, log, 0, 0) {
			got = append(got, ids(m.Records)...)
		}

		require.Subset(t, got, []string{"patient-0", "patient-1", "patient-2"})
		require.NotContains(t, got, "never-0")
	})

	t.Run("a full queue is busy at once", func(t *testing.T) {
		t.Parallel()

		log, stop, start := stoppable(t)
		w := newWriter(t, log, eventlog.WriterOptions{QueueBytes: 2000})
		stop()

		first := make(chan error, 1)

		go func() {
			_, err := w.Write(context.Background(), items(0, "a", 10))
			first <- err
		}()

		require.Eventually(t, func() bool { return w.Queued() > 0 }, patience, time.Millisecond)

		_, err := w.Write(ctxOf(t), items(1, "b", 15))
		require.ErrorIs(t, err, eventlog.ErrBusy)

		start()
		require.NoError(t, <-first)

		_, err = w.Write(ctxOf(t), items(1, "b", 10))
		require.NoError(t, err)
	})

	t.Run("a closed connection is unavailable", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		log := b.open(t, eventlog.Options{})
		b.conn.Close()

		w := newWriter(t, log, eventlog.WriterOptions{})
		_, err := w.Write(ctxOf(t), items(0, "a", 1))
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
		require.ErrorIs(t, log.Read(ctxOf(t), 0, 0, nil), eventlog.ErrUnavailable)

		_, err = log.MessageAt(ctxOf(t), 0, 1)
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
	})
}
