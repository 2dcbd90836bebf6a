package natsserver_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

func start(t *testing.T, o natsserver.Options) *natsserver.Server {
	t.Helper()

	server, err := natsserver.Start(o)
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	return server
}

func jetStream(t *testing.T, server *natsserver.Server) jetstream.JetStream {
	t.Helper()

	_, js := natstest.Connect(t, server)

	return js
}

func publish(t *testing.T, js jetstream.JetStream, n int) {
	t.Helper()

	_, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	require.NoError(t, err)

	for range n {
		_, err := js.Publish(t.Context(), "s", []byte("data"))
		require.NoError(t, err)
	}
}

func last(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()

	stream, err := js.Stream(t.Context(), "S")
	require.NoError(t, err)

	return stream.CachedInfo().State.LastSeq
}

func TestServer(t *testing.T) {
	t.Parallel()

	t.Run("keeps its streams over a restart", func(t *testing.T) {
		t.Parallel()

		for _, sync := range []bool{true, false} {
			options := natsserver.Options{Dir: filepath.Join(t.TempDir(), "not", "there", "yet"), SyncAlways: sync}
			server := start(t, options)
			publish(t, jetStream(t, server), 10)
			server.Shutdown()
			server.Shutdown()

			require.Equal(t, uint64(10), last(t, jetStream(t, start(t, options))))
		}
	})

	t.Run("opens files that a killed server left as they were", func(t *testing.T) {
		t.Parallel()

		options := natsserver.Options{Dir: t.TempDir(), SyncAlways: true}
		server := start(t, options)
		publish(t, jetStream(t, server), 10)

		// What is on the disk while the server still runs is what a kill would leave.
		left := t.TempDir()
		require.NoError(t, os.CopyFS(left, os.DirFS(options.Dir)))

		options.Dir = left
		js := jetStream(t, start(t, options))
		require.Equal(t, uint64(10), last(t, js))
		publish(t, js, 1)
		require.Equal(t, uint64(11), last(t, js))
	})

	t.Run("has no listener unless told to", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, start(t, natsserver.Options{Dir: t.TempDir()}).ClientURL())
	})

	t.Run("listens on loopback and any free port when told to", func(t *testing.T) {
		t.Parallel()

		server := start(t, natsserver.Options{Dir: t.TempDir(), Listen: true})
		require.Contains(t, server.ClientURL(), "nats://127.0.0.1:")

		conn, err := nats.Connect(server.ClientURL())
		require.NoError(t, err)
		conn.Close()
	})

	t.Run("takes messages well above those of the log", func(t *testing.T) {
		t.Parallel()

		conn, err := start(t, natsserver.Options{Dir: t.TempDir()}).Conn()
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		require.GreaterOrEqual(t, conn.MaxPayload(), int64(4<<20))
	})

	t.Run("ends its connections when it ends", func(t *testing.T) {
		t.Parallel()

		server := start(t, natsserver.Options{Dir: t.TempDir()})
		conn, err := server.Conn()
		require.NoError(t, err)
		t.Cleanup(conn.Close)

		server.Shutdown()
		require.Eventually(t, func() bool { return !conn.IsConnected() }, 10*time.Second, time.Millisecond)

		_, err = server.Conn()
		require.Error(t, err)
	})
}

func TestStartFails(t *testing.T) {
	t.Parallel()

	t.Run("without a directory", func(t *testing.T) {
		t.Parallel()

		_, err := natsserver.Start(natsserver.Options{})
		require.ErrorIs(t, err, natsserver.ErrNoDirectory)
	})

	t.Run("where a file stands in the way", func(t *testing.T) {
		t.Parallel()

		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))

		_, err := natsserver.Start(natsserver.Options{Dir: filepath.Join(file, "sub")})
		require.Error(t, err)
	})

	t.Run("on a port that is taken, and says so in the log", func(t *testing.T) {
		t.Parallel()

		taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, taken.Close()) })

		out := &telemetrytest.Buffer{}
		_, err = natsserver.Start(natsserver.Options{
			Dir: t.TempDir(), Listen: true, ReadyWait: 200 * time.Millisecond,
			Port:   taken.Addr().(*net.TCPAddr).Port,
			Logger: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		require.ErrorIs(t, err, natsserver.ErrNotReady)
		require.Contains(t, out.String(), "level=ERROR")
		require.Contains(t, out.String(), "address already in use")
		require.Contains(t, out.String(), "level=DEBUG", "what the server calls a notice is a detail")
	})
}
