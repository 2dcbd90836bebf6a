package member_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/member"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

const (
	patience = 30 * time.Second
	often    = 2 * time.Millisecond
	streams  = 8
)

func serve(t *testing.T) *natsserver.Server {
	t.Helper()
	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)
	return server
}

func connect(t *testing.T, server *natsserver.Server) *nats.Conn {
	t.Helper()
	conn, _ := natstest.Connect(t, server)
	return conn
}

// join runs a group until the test ends, or until the returned function is called.
func join(t *testing.T, conn *nats.Conn, deployment, name string, logger *slog.Logger) (g *member.Group, stop func()) {
	t.Helper()
	g = member.NewGroup(conn, deployment, member.Beat{Name: name, Rules: 1, Version: "1.2.3"}, logger)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	t.Cleanup(stop)
	return g, stop
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// eventually waits until what a group hears makes a condition true.
func eventually(t *testing.T, g *member.Group, what string, condition func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !condition() {
		select {
		case <-g.Changed():
		case <-timeout:
			require.Fail(t, "never: "+what)
		}
	}
}

func sees(g *member.Group, want ...string) func() bool {
	return func() bool { return slices.Equal(names(g.Live()), want) }
}

func TestGroups(t *testing.T) {
	t.Parallel()
	server := serve(t)
	a, _ := join(t, connect(t, server), "log-1", "a", quiet())
	require.Equal(t, "a", a.Name())
	_, known := member.NewGroup(connect(t, server), "log-1", member.Beat{Name: "x"}, quiet()).Assigned(streams)
	require.False(t, known, "a group that does not run knows nobody")

	b, stopB := join(t, connect(t, server), "log-1", "b", quiet())
	other, _ := join(t, connect(t, server), "log-2", "other", quiet())
	for _, g := range []*member.Group{a, b} {
		eventually(t, g, "both hear each other", sees(g, "a", "b"))
		eventually(t, g, "and know who owns what", func() bool {
			owners, known := g.Assigned(streams)
			return known && len(shares(owners)) == 2
		})
		require.True(t, g.Connected())
	}
	mine, _ := a.Assigned(streams)
	theirs, _ := b.Assigned(streams)
	require.Equal(t, mine, theirs, "both say the same")
	require.Equal(t, map[string]int{"a": 4, "b": 4}, shares(mine))
	require.Equal(t, "1.2.3", a.Live()[1].Version)
	eventually(t, other, "another log's processes are not heard", sees(other, "other"))

	t.Run("who leaves gets nothing more, and is heard still", func(t *testing.T) {
		b.Leave()
		eventually(t, a, "a gets all", func() bool {
			owners, _ := a.Assigned(streams)
			return shares(owners)["a"] == streams
		})
		require.Equal(t, []string{"a", "b"}, names(a.Live()))
	})

	t.Run("who is silent is gone", func(t *testing.T) {
		stopB()
		eventually(t, a, "b is gone", sees(a, "a"))
	})
}

func TestGroupThatIsCutOff(t *testing.T) {
	t.Parallel()
	server := serve(t)
	a, _ := join(t, connect(t, server), "log", "a", quiet())
	lost := connect(t, server)
	b, _ := join(t, lost, "log", "b", quiet())
	eventually(t, a, "both are there", sees(a, "a", "b"))
	eventually(t, b, "both are there", func() bool {
		_, known := b.Assigned(streams)
		return known && sees(b, "a", "b")()
	})

	lost.Close() // from here on b hears nothing, itself neither
	eventually(t, b, "b knows that it is cut off", func() bool { return !b.Connected() })
	_, known := b.Assigned(streams)
	require.False(t, known, "and does not make up its mind from what it heard once")
	eventually(t, b, "the others are gone to it as well", sees(b))
	eventually(t, a, "a goes on alone", sees(a, "a"))
	owners, known := a.Assigned(streams)
	require.True(t, known)
	require.Equal(t, map[string]int{"a": streams}, shares(owners))
}

func TestGroupHearsNonsense(t *testing.T) {
	t.Parallel()
	server := serve(t)
	log := &telemetrytest.Buffer{}
	g, _ := join(t, connect(t, server), "log", "a", slog.New(slog.NewTextHandler(log, nil)))
	eventually(t, g, "it is there", sees(g, "a"))

	stranger := connect(t, server)
	for _, text := range []string{"no JSON", `{"rules": 7}`} {
		require.NoError(t, stranger.Publish("hale.log.scoring", []byte(text)))
	}
	require.NoError(t, stranger.Flush())
	require.Eventually(t, func() bool { return strings.Count(log.String(), "cannot be read") == 2 }, patience, often)
	require.Equal(t, []string{"a"}, names(g.Live()), "nobody without a name is there")
}
