package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/eventlog"
)

// errWaited is the cause of a wait that took as long as the service allows.
var errWaited = errors.New("query: waited as long as the service allows")

// token reads an at_least; ok is false if there is none.
func (s *Service) token(atLeast string) (t eventlog.Token, ok bool, err error) {
	if atLeast == "" {
		return t, false, nil
	}

	t, err = s.deps.Log.ParseToken(atLeast)
	if err != nil {
		return t, false, &Error{
			Code: codes.InvalidArgument, Reason: reasonToken,
			Message: "at_least: the token is malformed, or of another installation", cause: err,
		}
	}

	return t, true, nil
}

// sequenceIn returns the sequence that a token names in a partition; 0: none.
func sequenceIn(t eventlog.Token, partition int) uint64 {
	var found uint64

	t.Each(func(p int, sequence uint64) {
		if p == partition {
			found = sequence
		}
	})

	return found
}

// patiently calls f with a context that ends when the service has waited long enough, and types its error.
func (s *Service) patiently(ctx context.Context, f func(context.Context) error) error {
	start := time.Now()
	defer func() { s.metrics.waited(ctx, time.Since(start)) }()

	waiting, cancel := context.WithTimeoutCause(ctx, patience(ctx, s.cfg.MaxWait), errWaited)
	defer cancel()

	err := f(waiting)

	switch {
	case err == nil:
		return nil
	case errors.Is(err, errWaited), errors.Is(err, context.DeadlineExceeded):
		return &Error{
			Code: codes.DeadlineExceeded, Reason: reasonNotYet,
			Message: "the write that at_least names is not in the score yet", cause: err,
		}
	default:
		return fmt.Errorf("waiting for at_least: %w", err)
	}
}

const (
	// marginShare of a caller's deadline, at most marginMost, is left for the answer to travel.
	marginShare = 10
	marginMost  = time.Second
)

// patience is how long to wait: so long that the caller hears why there is no answer before its own deadline passes.
func patience(ctx context.Context, most time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return most
	}

	left := time.Until(deadline)

	return min(most, left-min(left/marginShare, marginMost))
}
