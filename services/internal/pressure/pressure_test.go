package pressure_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/pressure"
)

func TestBoard(t *testing.T) {
	t.Parallel()
	js := natstest.JetStream(t)
	raiser, err := pressure.Open(t.Context(), js, 1)
	require.NoError(t, err)
	follower, err := pressure.Open(t.Context(), js, 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- follower.Follow(ctx) }()
	says := func(want string) func() bool { return func() bool { return follower.Why() == want } }
	const wait, often = 5 * time.Second, 5 * time.Millisecond

	require.Empty(t, follower.Why())
	require.NoError(t, raiser.Raise(ctx, "partition-2", "two"))
	require.Eventually(t, says("two"), wait, often)
	require.NoError(t, raiser.Raise(ctx, "partition-1", "one"))
	require.Eventually(t, says("one"), wait, often, "the first name speaks")
	require.NoError(t, raiser.Clear(ctx, "partition-1"))
	require.Eventually(t, says("two"), wait, often)
	raised, err := raiser.Raised(ctx, "partition-2")
	require.NoError(t, err)
	require.True(t, raised)
	require.NoError(t, raiser.Clear(ctx, "partition-2"))
	raised, err = raiser.Raised(ctx, "partition-2")
	require.NoError(t, err)
	require.False(t, raised)
	require.Eventually(t, says(""), wait, often)
	require.NoError(t, raiser.Clear(ctx, "never-raised"))

	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
}

// A follower hears of what was raised while its server was gone, and while there was no quorum.
func TestFollowLivesThroughOutages(t *testing.T) {
	t.Parallel()

	const wait, often = time.Minute, 5 * time.Millisecond

	c := natscluster.Start(t, natscluster.Options{})
	node := c.Nodes()[2]

	open := func(servers string) (*pressure.Board, *nats.Conn) {
		conn, err := eventlog.Connect(t.Context(), servers, nil)
		require.NoError(t, err)
		t.Cleanup(conn.Close)

		js, err := jetstream.New(conn)
		require.NoError(t, err)
		board, err := pressure.Open(t.Context(), js, 3)
		require.NoError(t, err)

		return board, conn
	}

	raiser, _ := open(c.Nodes()[0].URL() + "," + c.Nodes()[1].URL())
	follower, conn := open(node.URL())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)

	go func() { done <- follower.Follow(ctx) }()

	says := func(want string) func() bool { return func() bool { return follower.Why() == want } }
	insist := func(f func() error) { // over elections
		require.Eventually(t, func() bool { return f() == nil }, wait, often)
	}

	require.NoError(t, raiser.Raise(t.Context(), "a", "before"))
	require.Eventually(t, says("before"), wait, often)

	node.Kill()
	require.Eventually(t, func() bool { return !conn.IsConnected() || conn.ConnectedUrl() != node.URL() }, wait, often)
	require.Equal(t, "before", follower.Why(), "what is known stands")
	insist(func() error { return raiser.Raise(t.Context(), "a", "during") })
	require.Eventually(t, says("during"), wait, often)
	insist(func() error { return raiser.Clear(t.Context(), "a") })
	require.Eventually(t, says(""), wait, often)
	node.Start(t)

	c.Nodes()[0].Kill()
	c.Nodes()[1].Kill()

	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	require.Error(t, raiser.Raise(short, "a", "nobody takes it"))
	c.StartNodes(t, c.Nodes()[:2]...)
	insist(func() error { return raiser.Raise(t.Context(), "a", "after") })
	require.Eventually(t, says("after"), wait, often)

	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	go func() { done <- follower.Follow(t.Context()) }()

	conn.Close()
	require.ErrorIs(t, <-done, nats.ErrConnectionClosed)
}
