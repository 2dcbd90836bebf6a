package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const (
	defaultMaxBytes = 1 << 30
	minMaxBytes     = 32 << 20
	// maxRecordBytes is the largest record; a notice names up to 1,000 transitions.
	maxRecordBytes = 512 << 10
	// atOnce is how many writes wait for the server together.
	atOnce = 512

	codeWrongLast = jetstream.JSErrCodeStreamWrongLastSequence
)

// Errors of the stream.
var (
	// ErrFenced says that somebody else has written what was to be replaced: this process does not lead any more.
	ErrFenced = errors.New("delivery: another process has written the record")
	// ErrMalformed says that a message is no record.
	ErrMalformed = errors.New("delivery: malformed record")
	// ErrFull says that the stream has reached its cap.
	ErrFull = errors.New("delivery: stream NOTIFY is full")
)

// Options says how to keep the stream. Zero values work.
type Options struct {
	// MaxBytes is the stream's cap. 0: of a new stream 1 GiB, or as much of it as the server has room for; of an
	// existing one its own.
	MaxBytes int64
	// Replicas is the number of servers that keep a new stream. 0: 1.
	Replicas int
}

// Stream is the stream NOTIFY. Safe for concurrent use.
type Stream struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Open opens the stream, and makes it at the first start; several processes may do so at once. A cluster that has no
// leader yet is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Stream, error) {
	stream, err := jsretry.OpenStream(ctx, js, nil, streamConfig(o),
		jsretry.Cap{Asked: o.MaxBytes, Standard: defaultMaxBytes, Least: minMaxBytes})
	if err != nil {
		return nil, err
	}

	return &Stream{js: js, stream: stream}, nil
}

// streamConfig is that of a new stream.
func streamConfig(o Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              streamName,
		Description:       "What became of notifications",
		Subjects:          []string{allSubjects},
		Retention:         jetstream.LimitsPolicy,
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxMsgsPerSubject: 1,
		MaxMsgSize:        maxRecordBytes,
		Replicas:          max(o.Replicas, 1),
		AllowDirect:       true,
	}
}

// Write is a record to be written in place of another.
type Write struct {
	Record Record
	// Replaces is the sequence of the record that it takes the place of; 0: there must be none.
	Replaces uint64
}

// Put writes records and returns their sequences when all are durable. With ErrFull it returns the sequences too, 0 for
// each record that is not written. After ErrFenced and every other error some may be written: load again.
func (s *Stream) Put(ctx context.Context, writes ...Write) ([]uint64, error) {
	sequences := make([]uint64, len(writes))

	for from := 0; from < len(writes); from += atOnce {
		to := min(from+atOnce, len(writes))

		done, err := s.putSome(ctx, writes[from:to])
		if err != nil && !errors.Is(err, ErrFull) {
			return nil, err
		}

		copy(sequences[from:to], done)

		if err != nil {
			return sequences, err
		}
	}

	return sequences, nil
}

// putSome writes what fits into one round, as Put does.
func (s *Stream) putSome(ctx context.Context, writes []Write) ([]uint64, error) {
	futures := make([]jetstream.PubAckFuture, len(writes))

	for i, w := range writes {
		m, err := message(w)
		if err != nil {
			return nil, err
		}

		// Who waits for the answer is here, so nobody else tries again.
		futures[i], err = s.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0))
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", m.Subject, err)
		}
	}

	var (
		sequences = make([]uint64, len(writes))
		full      error
	)

	for i, f := range futures {
		select {
		case ack := <-f.Ok():
			sequences[i] = ack.Sequence
		case err := <-f.Err():
			err = refusal(f.Msg().Subject, err)
			if !errors.Is(err, ErrFull) {
				return nil, err
			}

			full = err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}

	return sequences, full
}

// message is what is published for a write.
func message(w Write) (*nats.Msg, error) {
	subject, err := w.Record.subject()
	if err != nil {
		return nil, err
	}

	data, err := json.Marshal(w.Record)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", subject, err)
	}

	m := nats.NewMsg(subject)
	m.Data = data
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.Replaces, 10))

	return m, nil
}

// refusal says why a record was not written.
func refusal(subject string, err error) error {
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch {
		case refused.ErrorCode == codeWrongLast:
			return fmt.Errorf("%w: %s", ErrFenced, subject)
		case jsretry.Full(refused):
			return fmt.Errorf("%w: writing %s: %s", ErrFull, subject, refused.Description)
		}
	}

	return fmt.Errorf("writing %s: %w", subject, err)
}

// decode reads a message; nil: it is none of the records.
func decode(subject string, data []byte) (Record, error) {
	var r Record

	switch {
	case strings.HasPrefix(subject, deliveryPrefix):
		r = &Delivery{}
	case strings.HasPrefix(subject, noticePrefix):
		r = &Notice{}
	case subject == cursorSubject:
		r = &Cursor{}
	case strings.HasPrefix(subject, periodPrefix):
		r = &Period{}
	default:
		return nil, nil //nolint:nilnil // a wish, or what a later version writes
	}

	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, subject, err)
	}

	return r, nil
}
