package natscluster_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"hale.dev/services/internal/eventlog/natsserver/natscluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

func connect(t *testing.T, url string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()

	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.PingInterval(time.Second))
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	js, err := jetstream.New(conn)
	require.NoError(t, err)

	return conn, js
}

// publish until it succeeds.
func publish(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := js.Publish(t.Context(), "s", nil)

		return err == nil
	}, patience, time.Millisecond)
}

func TestCluster(t *testing.T) {
	t.Parallel()

	c := natscluster.Start(t, natscluster.Options{})
	conn, js := connect(t, c.URL())
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: 3})
	require.NoError(t, err)
	publish(t, js)
	c.AwaitCurrent(t, "S")

	t.Run("another node leads once the leader is gone, and it comes back to its files", func(t *testing.T) {
		old := c.Leader(t, "S")
		old.Stop()
		publish(t, js)
		require.NotEqual(t, old.Name(), c.Leader(t, "S").Name())
		old.Start(t)
		c.AwaitCurrent(t, "S")
	})

	t.Run("a wiped node gets its copy from the others", func(t *testing.T) {
		node := c.Others(c.Leader(t, "S"))[0]
		node.Stop()
		node.Wipe(t)
		node.Start(t)
		c.AwaitCurrent(t, "S")
		require.DirExists(t, node.Dir())
	})

	t.Run("a node that is cut off loses its clients and its lead", func(t *testing.T) {
		old := c.Leader(t, "S")
		old.Isolate()
		require.Eventually(t, func() bool { return conn.IsConnected() && conn.ConnectedUrl() != old.URL() },
			patience, time.Millisecond)
		publish(t, js)
		old.Rejoin()
		c.AwaitCurrent(t, "S")
	})

	t.Run("on a frozen node nothing moves, and connections stay", func(t *testing.T) {
		alone, _ := connect(t, c.Nodes()[0].URL())
		before := alone.Stats().Reconnects
		c.Nodes()[0].Freeze()
		require.ErrorIs(t, alone.FlushTimeout(50*time.Millisecond), nats.ErrTimeout)
		c.Nodes()[0].Rejoin()
		require.NoError(t, alone.FlushTimeout(patience))
		require.Equal(t, before, alone.Stats().Reconnects)
	})

	t.Run("files can be put back as they were", func(t *testing.T) {
		for _, n := range c.Nodes() {
			n.Kill()
		}

		saved := make([]string, 0, len(c.Nodes()))
		for _, n := range c.Nodes() {
			saved = append(saved, n.Save(t))
		}

		c.StartNodes(t, c.Nodes()...)
		publish(t, js)

		stream, err := js.Stream(t.Context(), "S")
		require.NoError(t, err)
		after := stream.CachedInfo().State.LastSeq

		for i, n := range c.Nodes() {
			n.Stop()
			n.Restore(t, saved[i])
		}

		c.StartNodes(t, c.Nodes()...)
		c.AwaitLeader(t)
		c.Leader(t, "S")

		stream, err = js.Stream(t.Context(), "S")
		require.NoError(t, err)
		require.Less(t, stream.CachedInfo().State.LastSeq, after)
	})
}
