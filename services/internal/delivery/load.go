package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// quietFor is how long a read waits for the next message before it asks whether there is one.
const quietFor = 2 * time.Second

// Load calls f for every record, in order.
func (s *Stream) Load(ctx context.Context, f func(Entry) error) error {
	return s.read(ctx, "", func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		r, err := decode(m.Subject(), m.Data())
		if err != nil || r == nil {
			return err
		}

		return f(Entry{Record: r, Sequence: meta.Sequence.Stream, Time: meta.Timestamp})
	})
}

// read calls f for the messages of a filter (empty: all) that are there now.
func (s *Stream) read(
	ctx context.Context, filter string, f func(jetstream.Msg, *jetstream.MsgMetadata) error,
) error {
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if filter != "" {
		config.FilterSubjects = []string{filter}
	}

	c, err := s.stream.OrderedConsumer(ctx, config)
	if err != nil {
		return fmt.Errorf("reading %s: %w", streamName, err)
	}

	if info, err := c.Info(ctx); err != nil {
		return fmt.Errorf("reading %s: %w", streamName, err)
	} else if info.NumPending == 0 {
		return nil
	}

	messages, err := c.Messages(jetstream.PullMaxMessages(atOnce))
	if err != nil {
		return fmt.Errorf("reading %s: %w", streamName, err)
	}
	defer messages.Stop()

	for {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}

		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("reading %s: %w", streamName, err)
		}

		if err := f(m, meta); err != nil {
			return err
		}

		if meta.NumPending == 0 {
			return nil
		}
	}
}

// next waits for a message.
func next(ctx context.Context, messages jetstream.MessagesContext) (jetstream.Msg, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, quietFor)
		m, err := messages.Next(jetstream.NextContext(waiting))

		cancel()

		switch {
		case err == nil:
			return m, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded):
		default:
			return nil, fmt.Errorf("reading %s: %w", streamName, err)
		}
	}
}
