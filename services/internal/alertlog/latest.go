package alertlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// errComplete says that all is delivered.
var errComplete = errors.New("complete")

// Latest calls f for the newest record of each alert that the stream has, oldest first, and returns the place behind which
// to follow. An alert to which something happens meanwhile may come again, with its newer record. ErrGone says that
// another stream took the place of the first meanwhile.
func (l *Log) Latest(ctx context.Context, f func(Entry) error) (Place, error) {
	r := &latest{log: l, deliver: f}

	err := l.resume(ctx, r.session, func() bool { return r.last.Sequence != r.begun })
	if errors.Is(err, errComplete) {
		return r.last, nil
	}

	return Place{}, err
}

// latest is one Latest under way.
type latest struct {
	log     *Log
	deliver func(Entry) error
	// last is the place up to which all is delivered; begun is its sequence at the begin of the session.
	last  Place
	begun uint64
}

func (r *latest) session(ctx context.Context) error {
	r.begun = r.last.Sequence

	end, err := r.verify(ctx)
	if err != nil {
		return err
	}

	err = r.log.consume(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubject: subjectAll,
	}, func() error { // all was dropped for its age
		if end.Sequence > r.last.Sequence {
			r.last = end
		}

		return errComplete
	}, r.take)

	if !errors.Is(err, errComplete) {
		return err
	}

	if _, moved := r.verify(ctx); moved != nil {
		return moved
	}

	return err
}

// take delivers what a consumer brings.
func (r *latest) take(d delivery) error {
	if d.entry.Sequence > r.last.Sequence { // else it was delivered in an earlier session
		if err := r.deliver(d.entry); err != nil {
			return err
		}

		r.last.Sequence, r.last.Time = d.entry.Sequence, d.entry.Time.UnixNano()
	}

	if d.pending == 0 { // the newest record is its alert's newest: last is where the server's view ends
		return errComplete
	}

	return nil
}

// verify notices where another stream is in the place of the first, and returns where the stream ends.
func (r *latest) verify(ctx context.Context) (Place, error) {
	end, err := r.log.Last(ctx)
	if err != nil {
		return Place{}, fmt.Errorf("%w: %w", errResume, err)
	}

	if r.last.Stream == 0 {
		r.last.Stream = end.Stream
	}

	if r.last.Stream != end.Stream {
		return Place{}, fmt.Errorf("%w: %s was made again meanwhile", ErrGone, streamName)
	}

	return end, nil
}
