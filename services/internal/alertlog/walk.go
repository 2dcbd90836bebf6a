package alertlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Of JetStream's direct get only one message at a time has a method in the client; this file speaks its batches. Any
// replica answers.
const (
	directGet   = "$JS.API.DIRECT.GET." + streamName
	headerState = "Status"
	headerSeq   = "Nats-Sequence"
	headerTime  = "Nats-Time-Stamp"
	stateEnd    = "204"
	stateNone   = "404"

	pageRecords = 512
	pageBytes   = 4 << 20
)

// pageRequest asks for messages of a subject from a sequence on.
type pageRequest struct {
	Sequence uint64 `json:"seq"`
	Subject  string `json:"next_by_subj"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes"`
}

// walk calls f for every matching record from a sequence on, to the end.
func (l *Log) walk(ctx context.Context, filter string, from uint64, f func(Entry) error) error {
	for {
		found, err := l.page(ctx, pageRequest{Sequence: from, Subject: filter, Batch: pageRecords, MaxBytes: pageBytes})
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

// page asks once and gathers the answers.
func (l *Log) page(ctx context.Context, request pageRequest) ([]*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}

	conn := l.js.Conn()
	inbox := conn.NewInbox()

	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("%w: reading records: %w", ErrUnavailable, err)
	}
	defer answers.Unsubscribe() //nolint:errcheck // fails only on a closed connection

	if err := conn.PublishRequest(directGet, inbox, body); err != nil {
		return nil, fmt.Errorf("%w: reading records: %w", ErrUnavailable, err)
	}

	var found []*nats.Msg

	for {
		message, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: reading records: %w", ErrUnavailable, err)
		}

		switch state := message.Header.Get(headerState); {
		case state == stateEnd, state == stateNone:
			return found, nil
		case state != "":
			return nil, fmt.Errorf("%w: reading records: status %s", ErrUnavailable, state)
		default:
			found = append(found, message)
		}
	}
}

// parse reads a record out of an answer.
func parse(m *nats.Msg) (Entry, error) {
	sequence, seqErr := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	at, timeErr := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))

	if err := errors.Join(seqErr, timeErr); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}

	return decode(sequence, at, m.Data)
}
