package alertlog

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"hale.dev/services/internal/directget"
)

const (
	pageRecords = 512
	pageBytes   = 4 << 20
)

// walk calls f for every matching record from a sequence on, to the end.
func (l *Log) walk(ctx context.Context, filter string, from uint64, f func(Entry) error) error {
	for {
		found, err := l.page(ctx, filter, from)
		if err != nil || len(found) == 0 {
			return err
		}

		for _, m := range found {
			entry, err := parse(m)
			if err != nil {
				return err
			}

			if err := f(entry); err != nil {
				return err
			}

			from = entry.Sequence + 1
		}
	}
}

// page reads the next matching records.
func (l *Log) page(ctx context.Context, filter string, from uint64) ([]*nats.Msg, error) {
	return l.get(ctx, directget.Request{Sequence: from, Subject: filter, Batch: pageRecords, MaxBytes: pageBytes})
}

// get reads records from any replica.
func (l *Log) get(ctx context.Context, request directget.Request) ([]*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	found, err := directget.Get(ctx, l.js.Conn(), streamName, request)
	if err != nil {
		return nil, fmt.Errorf("%w: reading records: %w", ErrUnavailable, err)
	}

	return found, nil
}

// parse reads a record out of an answer.
func parse(m *nats.Msg) (Entry, error) {
	sequence, at, err := directget.Place(m)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}

	return decode(sequence, at, m.Data)
}
