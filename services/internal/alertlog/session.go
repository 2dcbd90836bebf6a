package alertlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullMessages and pullBytes bound what a reader holds that f has not seen. pullBytes must exceed the largest
	// message that the stream takes.
	pullMessages = 1024
	pullBytes    = 8 << 20
	// pullHeartbeat is how often the server says that it is there; after two missing ones the reader resumes.
	pullHeartbeat = time.Second
	pullExpiry    = 30 * time.Second
	// idleConsumer is when the server forgets a consumer whose reader is gone.
	idleConsumer = time.Minute
	firstPause   = 20 * time.Millisecond
	longestPause = 2 * time.Second
)

// errResume says that reading has to begin anew where it broke off.
var errResume = errors.New("resume")

// resume repeats sessions until one ends for another reason than errResume. moved tells whether the last one got on.
func (l *Log) resume(ctx context.Context, session func(ctx context.Context) error, moved func() bool) error {
	wait := firstPause

	for {
		err := session(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("reading %s: %w", streamName, ctx.Err())
		}

		if !errors.Is(err, errResume) {
			return err
		}

		if l.js.Conn().IsClosed() {
			return fmt.Errorf("%w: reading %s: %w", ErrUnavailable, streamName, nats.ErrConnectionClosed)
		}

		l.logger.DebugContext(ctx, "reading the alerts anew", "because", err)

		if moved() {
			wait = firstPause
		}

		select {
		case <-ctx.Done():
		case <-time.After(wait):
			wait = min(2*wait, longestPause) // doubles
		}
	}
}

// delivery is a message as a consumer brings it.
type delivery struct {
	entry Entry
	// pending is how many the consumer has still to bring.
	pending uint64
}

// consume makes a consumer and calls f for what it brings, until something breaks: errResume for all that another
// session may heal. The consumer needs no acknowledgements: its place is kept here. none is called if there is nothing
// to bring at first; nil: nobody cares.
func (l *Log) consume(
	ctx context.Context, config jetstream.ConsumerConfig, none func() error, f func(delivery) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	connected := l.js.Conn().StatusChanged(nats.CONNECTED)
	defer l.js.Conn().RemoveStatusListener(connected)

	config.AckPolicy, config.InactiveThreshold = jetstream.AckNonePolicy, idleConsumer
	config.Replicas, config.MemoryStorage = 1, true

	asked, stop := context.WithTimeout(ctx, apiWait)
	defer stop()

	consumer, err := l.js.CreateConsumer(asked, streamName, config)
	if err != nil {
		return fmt.Errorf("%w: making a consumer: %w", errResume, err)
	}

	if none != nil && consumer.CachedInfo().NumPending == 0 {
		return none()
	}

	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes),
		jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	if err != nil {
		return fmt.Errorf("%w: pulling messages: %w", errResume, err)
	}
	defer messages.Stop()

	go func() { // a server that comes back does not know the consumer any more
		select {
		case <-connected:
			messages.Stop()
		case <-ctx.Done():
		}
	}()

	return receive(ctx, messages, f)
}

// receive calls f for each message, and notices where one is missing.
func receive(ctx context.Context, messages jetstream.MessagesContext, f func(delivery) error) error {
	for consumed := uint64(1); ; consumed++ {
		raw, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("%w: %w", errResume, err)
		}

		meta, err := raw.Metadata()
		if err != nil {
			return fmt.Errorf("%w: %w", errResume, err)
		}

		if meta.Sequence.Consumer != consumed {
			return fmt.Errorf("%w: expected delivery %d, got %d", errResume, consumed, meta.Sequence.Consumer)
		}

		entry, err := decode(meta.Sequence.Stream, meta.Timestamp, raw.Data())
		if err != nil {
			return err
		}

		if err := f(delivery{entry: entry, pending: meta.NumPending}); err != nil {
			return err
		}
	}
}
