package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream's API where the client has no method that asks the leader, or does not tell all that it answers.
const (
	apiMessageGet = "$JS.API.STREAM.MSG.GET."
	apiPurge      = "$JS.API.STREAM.PURGE."
	apiStepDown   = "$JS.API.STREAM.LEADER.STEPDOWN."

	codeMessageNotFound = jetstream.ErrorCode(10037)
	codeStreamNotFound  = jetstream.ErrorCode(10059)
)

// leaderRequest asks for the message at a sequence, or with Subject for the first one that matches from there on, or
// with Last for the last one that matches.
type leaderRequest struct {
	Sequence uint64 `json:"seq,omitempty"`
	Subject  string `json:"next_by_subj,omitempty"`
	Last     string `json:"last_by_subj,omitempty"`
}

// askLeader reads a message from the leader of a stream, which has all that was ever acknowledged.
func (l *Log) askLeader(ctx context.Context, stream int, request leaderRequest) (*jetstream.RawStreamMsg, error) {
	var answer struct {
		Message *struct {
			Subject  string    `json:"subject"`
			Sequence uint64    `json:"seq"`
			Header   []byte    `json:"hdrs"`
			Data     []byte    `json:"data"`
			Time     time.Time `json:"time"`
		} `json:"message"`
	}

	if err := l.api(ctx, apiMessageGet+l.layout.streamName(stream), request, &answer); err != nil {
		return nil, err
	}

	found := answer.Message
	if found == nil {
		return nil, jetstream.ErrInvalidJetStreamResponse
	}

	raw := &jetstream.RawStreamMsg{
		Subject: found.Subject, Sequence: found.Sequence, Data: found.Data, Time: found.Time,
	}

	if len(found.Header) > 0 {
		header, err := nats.DecodeHeadersMsg(found.Header)
		if err != nil {
			return nil, fmt.Errorf("reading a message's headers: %w", err)
		}

		raw.Header = header
	}

	return raw, nil
}

// api calls JetStream's API. What the server refuses is a *jetstream.APIError, or the client's error for it.
func (l *Log) api(ctx context.Context, address string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}

	message, err := l.conn.RequestWithContext(ctx, address, body)
	if err != nil {
		return err //nolint:wrapcheck // the callers say what they did
	}

	var refused struct {
		Error *jetstream.APIError `json:"error"`
	}

	if err := json.Unmarshal(message.Data, &refused); err != nil {
		return fmt.Errorf("decoding an answer: %w", err)
	}

	if e := refused.Error; e != nil {
		switch e.ErrorCode {
		case codeMessageNotFound:
			return jetstream.ErrMsgNotFound
		case codeStreamNotFound:
			return jetstream.ErrStreamNotFound
		default:
			return e
		}
	}

	if err := json.Unmarshal(message.Data, answer); err != nil {
		return fmt.Errorf("decoding an answer: %w", err)
	}

	return nil
}
