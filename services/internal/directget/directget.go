// Package directget reads many messages of a JetStream stream with one request. Of JetStream's direct get the client only
// has a method for one message at a time; this package speaks its batches. Any replica answers. What the messages mean is
// not known here.
package directget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	api = "$JS.API.DIRECT.GET."
	// wait bounds a request.
	wait = 10 * time.Second

	headerState = "Status"
	headerSeq   = "Nats-Sequence"
	headerTime  = "Nats-Time-Stamp"
	headerLeft  = "Nats-Num-Pending"
	stateEnd    = "204"
	stateNone   = "404"
)

// ErrState is told for an answer that says that the server cannot give one.
var ErrState = errors.New("direct get: the server says status")

// Request asks for messages of a subject from a sequence on.
type Request struct {
	// Sequence from which on; at least 1.
	Sequence uint64 `json:"seq"`
	// Subject, which may have wildcards.
	Subject string `json:"next_by_subj"`
	// Batch is how many messages at most, MaxBytes how large they are together; 0: no bound.
	Batch    int `json:"batch"`
	MaxBytes int `json:"max_bytes,omitempty"`
}

// Get asks once and gathers the answers, in order; none: there are no such messages.
func Get(ctx context.Context, conn *nats.Conn, stream string, request Request) ([]*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()

	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}

	inbox := conn.NewInbox()

	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("subscribing to answers: %w", err)
	}
	defer answers.Unsubscribe() //nolint:errcheck // fails only on a closed connection

	if err := conn.PublishRequest(api+stream, inbox, body); err != nil {
		return nil, fmt.Errorf("asking for messages of %s: %w", stream, err)
	}

	var found []*nats.Msg

	for {
		message, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("waiting for messages of %s: %w", stream, err)
		}

		switch state := message.Header.Get(headerState); {
		case state == stateEnd, state == stateNone:
			return found, nil
		case state != "":
			return nil, fmt.Errorf("%w %s", ErrState, state)
		default:
			found = append(found, message)
		}
	}
}

// Place returns where a message stands in its stream, and when it came there.
func Place(m *nats.Msg) (sequence uint64, at time.Time, err error) {
	sequence, seqErr := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	at, timeErr := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))

	return sequence, at, errors.Join(seqErr, timeErr)
}

// Left returns how many messages of the request are behind this one.
func Left(m *nats.Msg) (int, error) {
	left, err := strconv.Atoi(m.Header.Get(headerLeft))
	if err != nil {
		return 0, fmt.Errorf("reading how many messages are left: %w", err)
	}

	return left, nil
}
