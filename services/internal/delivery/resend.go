package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Wish asks for a dead notice to be tried again.
type Wish struct {
	// Workspace and ID of the notice.
	Workspace, ID string
	// Sequence of the wish in the stream.
	Sequence uint64
}

// AskResend asks whoever leads to try a dead notice again. Asking twice is asking once.
func (s *Stream) AskResend(ctx context.Context, workspace, id string) error {
	subject, err := resendSubject(workspace, id)
	if err != nil {
		return err
	}

	if _, err := s.js.Publish(ctx, subject, nil); err != nil {
		return refusal(subject, err)
	}

	return nil
}

// FollowWishes calls f for every wish that is there, and then as they come, until ctx ends (then it returns ctx's error),
// f fails (then f's), or the stream cannot be read.
func (s *Stream) FollowWishes(ctx context.Context, f func(Wish) error) error {
	c, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{resendSubjects}})
	if err != nil {
		return fmt.Errorf("following wishes to send again: %w", err)
	}

	messages, err := c.Messages()
	if err != nil {
		return fmt.Errorf("following wishes to send again: %w", err)
	}
	defer messages.Stop()

	for {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}

		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("following wishes to send again: %w", err)
		}

		workspace, id, ok := parseResend(m.Subject())
		if !ok {
			continue
		}

		if err := f(Wish{Workspace: workspace, ID: id, Sequence: meta.Sequence.Stream}); err != nil {
			return err
		}
	}
}

// Grant removes a wish that was done, or cannot be done.
func (s *Stream) Grant(ctx context.Context, w Wish) error {
	if err := s.stream.DeleteMsg(ctx, w.Sequence); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("removing the wish to send %s again: %w", w.ID, err)
	}

	return nil
}
