package alertlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"hale.dev/services/internal/jsretry"
)

// The server takes several messages as one, wholly or not at all: an atomic batch. The client has no method for it; this
// file speaks it. One expectation, on the first message, holds for the batch.
const (
	headerBatch    = "Nats-Batch-Id"
	headerNumber   = "Nats-Batch-Sequence"
	headerCommit   = "Nats-Batch-Commit"
	headerExpected = jetstream.ExpectedLastSubjSeqHeader
	headerOf       = jetstream.ExpectedLastSubjSeqSubjHeader
	commitNow      = "1"

	// ackWait bounds the wait for what the server says to a batch.
	ackWait = 5 * time.Second

	codeWrongLast       = jetstream.ErrorCode(10071)
	codeWrongLastUnsaid = jetstream.ErrorCode(10164)
)

// errPassed says that the partition's last record is another than was expected.
var errPassed = errors.New("the partition has other records behind the place")

// publish puts messages behind the partition's record at `expected` (0: it has none), all or none, and returns the
// sequence of the last one. Of any other error than errPassed it is unknown whether they are there.
func (l *Log) publish(ctx context.Context, partition int, expected uint64, messages []*nats.Msg) (uint64, error) {
	if err := l.batches.Acquire(ctx, 1); err != nil {
		return 0, fmt.Errorf("%w: publishing: %w", ErrUnavailable, err)
	}
	defer l.batches.Release(1)

	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()

	messages[0].Header.Set(headerExpected, strconv.FormatUint(expected, 10))
	messages[0].Header.Set(headerOf, filter(partition))

	last := len(messages) - 1
	if last > 0 {
		number(messages)
	}

	conn := l.js.Conn()

	for _, m := range messages[:last] {
		if err := conn.PublishMsg(m); err != nil {
			return 0, fmt.Errorf("%w: publishing: %w", ErrUnavailable, err)
		}
	}

	answer, err := conn.RequestMsgWithContext(ctx, messages[last])
	if err != nil {
		return 0, fmt.Errorf("%w: publishing: %w", ErrUnavailable, err)
	}

	return acknowledged(answer.Data)
}

// number makes messages one batch.
func number(messages []*nats.Msg) {
	id := nuid.Next()

	for i, m := range messages {
		m.Header.Set(headerBatch, id)
		m.Header.Set(headerNumber, strconv.Itoa(i+1))
	}

	messages[len(messages)-1].Header.Set(headerCommit, commitNow)
}

// acknowledged reads what the server says to a batch.
func acknowledged(data []byte) (uint64, error) {
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
	}

	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, fmt.Errorf("%w: decoding an answer: %w", ErrUnavailable, err)
	}

	refused := ack.Error

	switch {
	case refused == nil && (ack.Stream != streamName || ack.Sequence == 0):
		return 0, fmt.Errorf("%w: an answer without a sequence", ErrUnavailable)
	case refused == nil:
		return ack.Sequence, nil
	case refused.ErrorCode == codeWrongLast, refused.ErrorCode == codeWrongLastUnsaid:
		return 0, errPassed
	case jsretry.Full(refused):
		return 0, fmt.Errorf("%w: %s", ErrFull, refused.Description)
	default:
		return 0, fmt.Errorf("%w: publishing: %w", ErrUnavailable, refused)
	}
}
