package alertlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"hale.dev/services/internal/jsretry"
)

const (
	// Retention is how long a record stays.
	Retention = 400 * 24 * time.Hour

	defaultMaxBytes = 8 << 30
	minMaxBytes     = 64 << 20
	// maxMessageBytes bounds a record, headers included.
	maxMessageBytes = 1 << 20
	// batchesAtOnce bounds the batches of a process that the server gathers: it takes 50 of a stream at a time.
	batchesAtOnce = 8
)

// Options says how to keep the records. Zero values work.
type Options struct {
	// MaxBytes is the stream's cap. 0: of a new stream 8 GiB, or as much of it as the server has room for; of an
	// existing one its own.
	MaxBytes int64
	// Replicas is the number of servers that keep a new stream. 0: 1.
	Replicas int
	// Logger; nil: silent.
	Logger *slog.Logger
}

// Log is the stream ALERTS. Safe for concurrent use.
type Log struct {
	js      jetstream.JetStream
	stream  jetstream.Stream
	batches *semaphore.Weighted
	logger  *slog.Logger
}

// Open opens the stream, and makes it at the first start; several processes may do so at once. A cluster that has no
// leader yet is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Log, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	var stream jetstream.Stream

	err := jsretry.Do(ctx, o.Logger, func(ctx context.Context) (err error) {
		stream, err = js.Stream(ctx, streamName)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			stream, err = makeStream(ctx, js, o)
		}

		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", streamName, err)
	}

	config := stream.CachedInfo().Config
	if o.MaxBytes != 0 && o.MaxBytes != config.MaxBytes {
		config.MaxBytes = o.MaxBytes
		if stream, err = js.UpdateStream(ctx, config); err != nil {
			return nil, fmt.Errorf("changing the cap of %s: %w", streamName, err)
		}
	}

	return &Log{js: js, stream: stream, batches: semaphore.NewWeighted(batchesAtOnce), logger: o.Logger}, nil
}

// makeStream makes the stream. If no cap is asked for and the server has no room for the default, it takes what fits.
func makeStream(ctx context.Context, js jetstream.JetStream, o Options) (jetstream.Stream, error) {
	config := jetstream.StreamConfig{
		Name:               streamName,
		Description:        "What happened to alerts, each transition once",
		Subjects:           []string{subjectAll},
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Discard:            jetstream.DiscardNew,
		MaxBytes:           defaultMaxBytes,
		MaxAge:             Retention,
		MaxMsgSize:         maxMessageBytes,
		Replicas:           max(o.Replicas, 1),
		AllowDirect:        true,
		AllowAtomicPublish: true,
	}
	if o.MaxBytes != 0 {
		config.MaxBytes = o.MaxBytes
	}

	for {
		stream, err := js.CreateStream(ctx, config)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster, with another cap
			stream, err = js.Stream(ctx, streamName)
		}

		config.MaxBytes /= 2

		if !jsretry.NoStorage(err) || o.MaxBytes != 0 || config.MaxBytes < minMaxBytes {
			return stream, err //nolint:wrapcheck // wrapped by Open
		}
	}
}
