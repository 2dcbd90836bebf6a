package eventlog_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

func TestConnect(t *testing.T) {
	t.Parallel()

	t.Run("waits for a server that is not there yet, and comes back to one that was", func(t *testing.T) {
		t.Parallel()

		options := natsserver.Options{Dir: t.TempDir(), Listen: true, Port: natstest.Port(t)}
		server, err := natsserver.Start(options)
		require.NoError(t, err)

		address := server.ClientURL()
		server.Shutdown()

		out := &telemetrytest.Buffer{}
		logger := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		started := make(chan *natsserver.Server, 2)

		go func() {
			for ctx := ctxOf(t); !strings.Contains(out.String(), "does not answer yet") && ctx.Err() == nil; {
				time.Sleep(time.Millisecond)
			}

			late, _ := natsserver.Start(options)
			started <- late
		}()

		conn, err := eventlog.Connect(ctxOf(t), address, logger)
		require.NoError(t, err)
		t.Cleanup(conn.Close)

		(<-started).Shutdown()
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "is lost") }, patience, time.Millisecond)

		server, err = natsserver.Start(options)
		require.NoError(t, err)
		t.Cleanup(server.Shutdown)
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "is back") }, patience, time.Millisecond)
		require.True(t, conn.IsConnected())
	})

	t.Run("gives up with its context", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()

		_, err := eventlog.Connect(ctx, "nats://127.0.0.1:1", nil)
		require.ErrorIs(t, err, eventlog.ErrUnavailable)
	})
}
