package jsretry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/jsretry"
)

func refused(code int, number jetstream.ErrorCode, text string) error {
	return fmt.Errorf("making a stream: %w", &jetstream.APIError{Code: code, ErrorCode: number, Description: text})
}

func TestDo(t *testing.T) {
	t.Parallel()

	t.Run("repeats what has no answer until it has one", func(t *testing.T) {
		t.Parallel()

		calls := 0

		require.NoError(t, jsretry.Do(t.Context(), nil, func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)

			if calls++; calls < 3 {
				return refused(503, 10008, "JetStream system temporarily unavailable")
			}

			return nil
		}))
		require.Equal(t, 3, calls)
	})

	t.Run("does not repeat what is refused for good", func(t *testing.T) {
		t.Parallel()

		calls, bad := 0, errors.New("bad")

		require.ErrorIs(t, jsretry.Do(t.Context(), nil, func(context.Context) error {
			calls++

			return bad
		}), bad)
		require.Equal(t, 1, calls)
	})

	t.Run("ends with its context, and says what was wrong", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()

		err := jsretry.Do(ctx, nil, func(context.Context) error { return nats.ErrNoResponders })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, nats.ErrNoResponders)
	})
}

func TestWhatErrorsMean(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		err                        error
		transient, noStorage, full bool
	}{
		{refused(503, 10008, "JetStream system temporarily unavailable"), true, false, false},
		{refused(400, 10005, "no suitable peers for placement, peer offline"), true, false, false},
		{refused(400, 10005, "no suitable peers for placement, insufficient storage"), false, true, true},
		{refused(500, 10118, "stream is offline"), true, false, false},
		{refused(400, 10058, "stream name already in use"), true, false, false},
		{refused(503, 10023, "insufficient resources"), false, true, true},
		{refused(500, 10047, "insufficient storage resources available"), false, true, true},
		{refused(503, 10076, "JetStream not enabled"), false, false, false},
		{refused(503, 10039, "JetStream not enabled for account"), false, false, false},
		{refused(404, 10059, "stream not found"), false, false, false},
		{refused(503, 10077, "maximum bytes exceeded"), true, false, true},
		{refused(503, 10077, "stream store closed"), true, false, false},
		{refused(400, 10002, "resource limits exceeded for account"), false, false, true},
		{nats.ErrTimeout, true, false, false},
		{context.DeadlineExceeded, true, false, false},
		{nats.ErrConnectionClosed, false, false, false},
		{bytes.ErrTooLarge, false, false, false},
		{nil, false, false, false},
	} {
		require.Equal(t, tc.transient, jsretry.Transient(tc.err), "%v", tc.err)
		require.Equal(t, tc.noStorage, jsretry.NoStorage(tc.err), "%v", tc.err)
		require.Equal(t, tc.full, jsretry.Full(tc.err), "%v", tc.err)
	}
}
