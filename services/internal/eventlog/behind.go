package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// countingConsumer is when the server forgets a consumer that was made to count, should deleting it fail.
const countingConsumer = 5 * time.Second

// Lag says how far a partition's log goes beyond a place in it.
type Lag struct {
	// Last is the sequence of the partition's last message; 0: it has none.
	Last uint64
	// Messages of the partition after the place.
	Messages uint64
	// Since is when JetStream took the first of them; zero: there is none.
	Since time.Time
}

// Behind says what a partition's log holds after a cursor. Where there is nothing, that costs one question; else a
// consumer is made to count, and removed. In a cluster any replica answers, perhaps one that is a moment behind.
func (l *Log) Behind(ctx context.Context, partition int, cursor uint64) (Lag, error) {
	if partition < 0 || partition >= l.layout.Partitions {
		return Lag{}, fmt.Errorf("%w: there is no partition %d", ErrLayout, partition)
	}

	stream, name := l.streams[l.layout.Stream(partition)], subject(partition)

	last, err := stream.GetLastMsgForSubject(ctx, name)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Lag{}, nil
	}

	if err != nil {
		return Lag{}, l.askFailed(partition, "asking for the last message of", err)
	}

	lag := Lag{Last: last.Sequence}
	if lag.Last <= cursor {
		return lag, nil
	}

	first, err := stream.GetMsg(ctx, cursor+1, jetstream.WithGetMsgSubject(name))
	if errors.Is(err, jetstream.ErrMsgNotFound) { // deleted since, or a replica that has not got so far
		return lag, nil
	}

	if err != nil {
		return Lag{}, l.askFailed(partition, "asking for the next message of", err)
	}

	lag.Since = first.Time

	if lag.Messages, err = l.count(ctx, partition, first.Sequence); err != nil {
		return Lag{}, l.askFailed(partition, "counting the messages of", err)
	}

	return lag, nil
}

// count counts the messages of a partition from a sequence on.
func (l *Log) count(ctx context.Context, partition int, from uint64) (uint64, error) {
	stream := l.layout.streamName(l.layout.Stream(partition))

	consumer, err := l.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       from,
		FilterSubject:     subject(partition),
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: countingConsumer,
		Replicas:          1,
		MemoryStorage:     true,
	})
	if err != nil {
		return 0, err //nolint:wrapcheck // wrapped by Behind
	}

	info := consumer.CachedInfo()
	if err := l.js.DeleteConsumer(ctx, stream, info.Name); err != nil {
		l.logger.DebugContext(ctx, "removing a consumer that counted", "consumer", info.Name, "error", err)
	}

	return info.NumPending, nil
}

// askFailed types what went wrong with a question about a partition.
func (l *Log) askFailed(partition int, doing string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%w: %s", ErrStreamGone, l.layout.streamName(l.layout.Stream(partition)))
	}

	return fmt.Errorf("%w: %s partition %d: %w", ErrUnavailable, doing, partition, err)
}
