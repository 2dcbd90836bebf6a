package alertlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// apiWait bounds one question to JetStream, which answers at once or, without a leader, never.
	apiWait = 5 * time.Second

	apiMessageGet       = "$JS.API.STREAM.MSG.GET." + streamName
	codeMessageNotFound = jetstream.ErrorCode(10037)
)

// Last is the place behind the newest record, without its time.
func (l *Log) Last(ctx context.Context) (Place, error) {
	info, err := l.info(ctx)
	if err != nil {
		return Place{}, err
	}

	return Place{Stream: streamOf(info), Sequence: info.State.LastSeq}, nil
}

// info asks for the state of the stream. A server answers for a stream without a leader too, with what it happens to
// hold; that does not count.
func (l *Log) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	info, err := l.stream.Info(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fmt.Errorf("%w: there is no stream %s: %w", ErrUnavailable, streamName, err)
	}

	if err != nil {
		return nil, fmt.Errorf("%w: asking for %s: %w", ErrUnavailable, streamName, err)
	}

	if info.Cluster != nil && info.Cluster.Leader == "" && info.Config.Replicas > 1 {
		return nil, fmt.Errorf("%w: %s has no leader", ErrUnavailable, streamName)
	}

	return info, nil
}

// lastOf asks the leader, which has all that was ever acknowledged, for the newest record of a partition; 0: it has
// none.
func (l *Log) lastOf(ctx context.Context, partition int) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	request, err := json.Marshal(map[string]string{"last_by_subj": filter(partition)})
	if err != nil {
		return 0, fmt.Errorf("encoding a request: %w", err)
	}

	raw, err := l.js.Conn().RequestWithContext(ctx, apiMessageGet, request)
	if err != nil {
		return 0, fmt.Errorf("%w: asking for the last record of partition %d: %w", ErrUnavailable, partition, err)
	}

	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
	}

	if err := json.Unmarshal(raw.Data, &answer); err != nil {
		return 0, fmt.Errorf("%w: decoding an answer: %w", ErrUnavailable, err)
	}

	switch {
	case answer.Error == nil:
		return answer.Message.Sequence, nil
	case answer.Error.ErrorCode == codeMessageNotFound:
		return 0, nil
	default:
		return 0, fmt.Errorf("%w: asking for the last record of partition %d: %w", ErrUnavailable, partition, answer.Error)
	}
}
