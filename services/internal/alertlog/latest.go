package alertlog

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// errComplete says that all is delivered.
var errComplete = errors.New("complete")

// Latest calls f for the newest record of each alert that the stream has, oldest first, and returns the sequence behind
// which to follow. An alert to which something happens meanwhile may come again, with its newer record.
func (l *Log) Latest(ctx context.Context, f func(Entry) error) (last uint64, err error) {
	begun := last
	config := jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: subjectAll,
	}

	session := func(ctx context.Context) error {
		begun = last

		return l.consume(ctx, config, func() error { return errComplete }, func(d delivery) error {
			if d.entry.Sequence > last { // else it was delivered in an earlier session
				if err := f(d.entry); err != nil {
					return err
				}

				last = d.entry.Sequence
			}

			if d.pending == 0 { // the newest record is its alert's newest: last is where the server's view ends
				return errComplete
			}

			return nil
		})
	}

	err = l.resume(ctx, session, func() bool { return last != begun })
	if errors.Is(err, errComplete) {
		return last, nil
	}

	return 0, err
}
