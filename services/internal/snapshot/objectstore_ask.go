package snapshot

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A stream whose leader is being chosen does not answer at all, so a request is made again before it is given up.
const (
	askTimeout = 5 * time.Second // of one request
	askPause   = 100 * time.Millisecond
	patience   = 30 * time.Second

	publishTimeout = 30 * time.Second
	publishPause   = 250 * time.Millisecond
	publishTries   = 60
)

// patiently makes a request that may be made twice, until it is answered.
func patiently(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	for {
		err := once(ctx, f)
		if err == nil || !passing(err) {
			return err
		}

		select {
		case <-ctx.Done():
			return err
		case <-time.After(askPause):
		}
	}
}

func once(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	return f(ctx)
}

// passing says whether an error may be gone the next time.
func passing(err error) bool {
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		return refused.Code == http.StatusServiceUnavailable && refused.ErrorCode != codeInsufficientResources
	}

	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}
