package reject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/jsretry"
)

const (
	defaultMaxBytes = 1 << 30
	minMaxBytes     = 64 << 20
	// defaultMaxMessages bounds the server's memory: it keeps an index of all subjects, here one for each entry.
	defaultMaxMessages = 1_000_000
	// putAtOnce is how many entries of one Put wait for the server together.
	putAtOnce = 64

	codeStoreFailed = jetstream.ErrorCode(10077)
	perSubjectText  = "per subject"
)

// Options says how to keep the entries. Zero values work.
type Options struct {
	// MaxBytes is the stream's cap. 0: of a new stream 1 GiB, or as much of it as the server has room for; of an
	// existing one its own.
	MaxBytes int64
	// MaxMessages bounds the number of entries. 0: of a new stream 1,000,000; of an existing one its own.
	MaxMessages int64
	// Replicas is the number of servers that keep a new stream. 0: 1.
	Replicas int
}

// Stream is the stream REJECTS. Safe for concurrent use.
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

	config := stream.CachedInfo().Config
	if o.MaxMessages != 0 && o.MaxMessages != config.MaxMsgs {
		config.MaxMsgs = o.MaxMessages
		if stream, err = js.UpdateStream(ctx, config); err != nil {
			return nil, fmt.Errorf("changing the cap of %s: %w", streamName, err)
		}
	}

	return &Stream{js: js, stream: stream}, nil
}

// streamConfig is that of a new stream.
func streamConfig(o Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 streamName,
		Description:          "Events that could not be used, with their reasons",
		Subjects:             []string{subjectPrefix + ">"},
		Retention:            jetstream.LimitsPolicy,
		Storage:              jetstream.FileStorage,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxMsgs:              cmp.Or(o.MaxMessages, defaultMaxMessages),
		Replicas:             max(o.Replicas, 1),
		AllowDirect:          true,
	}
}

// Put stores entries and returns when all are durable. One that is there already is left as it is. After an error
// some may be stored: put all of them again.
func (s *Stream) Put(ctx context.Context, rejects ...Reject) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(putAtOnce)

	for i := range rejects {
		group.Go(func() error { return s.put(ctx, &rejects[i]) })
	}

	return group.Wait() //nolint:wrapcheck // wrapped by put
}

func (s *Stream) put(ctx context.Context, r *Reject) error {
	if r.ID == "" {
		return fmt.Errorf("%w: no id", ErrMalformed)
	}

	message := &nats.Msg{Subject: subject(r), Data: encode(r)}

	_, err := s.js.PublishMsg(ctx, message)
	if err == nil {
		return nil
	}

	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch {
		case refused.ErrorCode == codeStoreFailed && strings.Contains(refused.Description, perSubjectText):
			return nil // present
		case jsretry.Full(refused):
			return fmt.Errorf("%w: storing entry %q: %s", ErrFull, r.ID, refused.Description)
		}
	}

	return fmt.Errorf("%w: storing entry %q: %w", ErrUnavailable, r.ID, err)
}

// Delete removes an entry. One that is not there is ErrNotFound.
func (s *Stream) Delete(ctx context.Context, seq uint64) error {
	err := s.stream.DeleteMsg(ctx, seq)
	if err == nil {
		return nil
	}

	// The server has one answer for all that may go wrong, so look.
	if _, getErr := s.stream.GetMsg(ctx, seq); seq == 0 || errors.Is(getErr, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("%w: deleting entry %d", ErrNotFound, seq)
	}

	return fmt.Errorf("%w: deleting entry %d: %w", ErrUnavailable, seq, err)
}
