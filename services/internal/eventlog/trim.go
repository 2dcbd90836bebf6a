package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// codePurgeDenied is the server's answer for a stream that was made to deny purges.
const codePurgeDenied = jetstream.ErrorCode(10110)

// Trim removes the messages of a stream up to a sequence, itself included, for ever, and tells how many. The last
// message of the stream always stays: it carries the sequence on, and lets guards see that the log is the one they
// know. A stream that an earlier version made denies it: ErrTrimRefused. Whoever calls must not need the messages any
// more: reading from one of them is ErrTrimmed afterwards.
func (l *Log) Trim(ctx context.Context, stream int, upTo uint64) (removed uint64, err error) {
	if stream < 0 || stream >= len(l.streams) {
		return 0, fmt.Errorf("%w: there is no stream %d", ErrStreamGone, stream)
	}

	name := l.layout.streamName(stream)

	last, err := l.askLeader(ctx, stream, leaderRequest{Last: subjectPrefix + "*"})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil // it is empty
	}

	if err != nil {
		return 0, trimError(name, err)
	}

	// The server keeps the sequence that it is given.
	keep := min(upTo, last.Sequence-1) + 1
	if keep <= 1 {
		return 0, nil
	}

	var answer struct {
		Purged uint64 `json:"purged"`
	}

	if err := l.api(ctx, apiPurge+name, jetstream.StreamPurgeRequest{Sequence: keep}, &answer); err != nil {
		return 0, trimError(name, err)
	}

	return answer.Purged, nil
}

func trimError(name string, err error) error {
	var refused *jetstream.APIError

	switch {
	case errors.As(err, &refused) && refused.ErrorCode == codePurgeDenied:
		return fmt.Errorf("%w: %s", ErrTrimRefused, name)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %s", ErrStreamGone, name)
	default:
		return fmt.Errorf("%w: trimming %s: %w", ErrUnavailable, name, err)
	}
}

// SequenceBefore is the sequence of the last message of a stream that JetStream took before t; 0: there is none. A
// message that was deleted does not count, so the sequence named is there.
func (l *Log) SequenceBefore(ctx context.Context, stream int, t time.Time) (uint64, error) {
	info, err := l.Info(ctx, stream)
	if err != nil {
		return 0, err
	}

	// All messages below low are before t, none from high on is; found is the last one seen that is.
	low, high, found := info.First, info.Last+1, uint64(0)

	for low < high {
		middle := low + (high-low)/2 // halves

		message, err := l.askLeader(ctx, stream, leaderRequest{Sequence: middle, Subject: subjectPrefix + "*"})

		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound): // nothing from here to the end
			high = middle
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return 0, fmt.Errorf("%w: %s", ErrStreamGone, l.layout.streamName(stream))
		case err != nil:
			return 0, fmt.Errorf("%w: looking for %s in %s: %w",
				ErrUnavailable, t.UTC().Format(time.RFC3339), l.layout.streamName(stream), err)
		case message.Time.Before(t):
			found, low = message.Sequence, message.Sequence+1
		default:
			high = middle
		}
	}

	return found, nil
}
