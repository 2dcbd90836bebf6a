package reject

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"hale.dev/services/internal/directget"
)

// walk calls f for every matching entry from a sequence on and before end (0: all), reading pages.
func (s *Stream) walk(
	ctx context.Context, filter string, from, end uint64, page int, f func(Stored) error,
) error {
	for from = max(from, 1); end == 0 || from < end; {
		messages, err := s.batch(ctx, directget.Request{Sequence: from, Subject: filter, Batch: page})
		if err != nil {
			return err
		}

		for _, message := range messages {
			entry, err := parse(message)
			if err != nil {
				return err
			}

			if end != 0 && entry.Sequence >= end {
				return nil
			}

			from = entry.Sequence + 1

			if err := f(entry); err != nil {
				return err
			}
		}

		if len(messages) == 0 {
			return nil
		}
	}

	return nil
}

// count is the number of matching entries from a sequence on.
func (s *Stream) count(ctx context.Context, filter string, from uint64) (int, error) {
	messages, err := s.batch(ctx, directget.Request{Sequence: max(from, 1), Subject: filter, Batch: 1, MaxBytes: 1})
	if err != nil || len(messages) == 0 {
		return 0, err
	}

	after, err := directget.Left(messages[0])
	if err != nil {
		return 0, fmt.Errorf("%w: counting entries: %w", ErrUnavailable, err)
	}

	return after + 1, nil
}

// batch reads the next matching messages.
func (s *Stream) batch(ctx context.Context, request directget.Request) ([]*nats.Msg, error) {
	found, err := directget.Get(ctx, s.js.Conn(), streamName, request)
	if err != nil {
		return nil, fmt.Errorf("%w: reading entries: %w", ErrUnavailable, err)
	}

	return found, nil
}

// parse reads an entry out of an answer.
func parse(m *nats.Msg) (Stored, error) {
	sequence, at, err := directget.Place(m)
	if err != nil {
		return Stored{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}

	entry, err := decode(m.Data)
	if err != nil {
		return Stored{}, fmt.Errorf("reading entry %d: %w", sequence, err)
	}

	return Stored{Reject: entry, Sequence: sequence, At: at}, nil
}
