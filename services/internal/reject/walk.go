package reject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Of JetStream's direct get only one message at a time has a method in the client; this file speaks its batches.
const (
	directGet   = "$JS.API.DIRECT.GET." + streamName
	directWait  = 10 * time.Second
	headerState = "Status"
	headerSeq   = "Nats-Sequence"
	headerTime  = "Nats-Time-Stamp"
	headerLeft  = "Nats-Num-Pending"
	stateEnd    = "204"
	stateNone   = "404"
)

// batchRequest asks for messages of a subject from a sequence on.
type batchRequest struct {
	Sequence uint64 `json:"seq"`
	Subject  string `json:"next_by_subj"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes,omitempty"`
}

// walk calls f for every matching entry from a sequence on and before end (0: all), reading pages.
func (s *Stream) walk(
	ctx context.Context, filter string, from, end uint64, page int, f func(Stored) error,
) error {
	for from = max(from, 1); end == 0 || from < end; {
		messages, err := s.batch(ctx, batchRequest{Sequence: from, Subject: filter, Batch: page})
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
	messages, err := s.batch(ctx, batchRequest{Sequence: max(from, 1), Subject: filter, Batch: 1, MaxBytes: 1})
	if err != nil || len(messages) == 0 {
		return 0, err
	}

	after, err := strconv.Atoi(messages[0].Header.Get(headerLeft))
	if err != nil {
		return 0, fmt.Errorf("%w: counting entries: %w", ErrUnavailable, err)
	}

	return after + 1, nil
}

// batch asks once and gathers the answers.
func (s *Stream) batch(ctx context.Context, request batchRequest) ([]*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, directWait)
	defer cancel()

	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}

	conn := s.js.Conn()
	inbox := conn.NewInbox()

	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("%w: reading entries: %w", ErrUnavailable, err)
	}
	defer answers.Unsubscribe() //nolint:errcheck // fails only on a closed connection

	if err := conn.PublishRequest(directGet, inbox, body); err != nil {
		return nil, fmt.Errorf("%w: reading entries: %w", ErrUnavailable, err)
	}

	var found []*nats.Msg

	for {
		message, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: reading entries: %w", ErrUnavailable, err)
		}

		switch state := message.Header.Get(headerState); {
		case state == stateEnd, state == stateNone:
			return found, nil
		case state != "":
			return nil, fmt.Errorf("%w: reading entries: status %s", ErrUnavailable, state)
		default:
			found = append(found, message)
		}
	}
}

// parse reads an entry out of an answer.
func parse(m *nats.Msg) (Stored, error) {
	sequence, seqErr := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	at, timeErr := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))

	if err := errors.Join(seqErr, timeErr); err != nil {
		return Stored{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}

	entry, err := decode(m.Data)
	if err != nil {
		return Stored{}, fmt.Errorf("reading entry %d: %w", sequence, err)
	}

	return Stored{Reject: entry, Sequence: sequence, At: at}, nil
}
