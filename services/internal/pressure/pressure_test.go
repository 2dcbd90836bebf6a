package pressure_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
