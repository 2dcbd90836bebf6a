package alertlog

import (
	"context"
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

	stream, err := jsretry.OpenStream(ctx, js, o.Logger, streamConfig(o),
		jsretry.Cap{Asked: o.MaxBytes, Standard: defaultMaxBytes, Least: minMaxBytes})
	if err != nil {
		return nil, err
	}

	return &Log{js: js, stream: stream, batches: semaphore.NewWeighted(batchesAtOnce), logger: o.Logger}, nil
}

// streamConfig is that of a new stream.
func streamConfig(o Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               streamName,
		Description:        "What happened to alerts, each transition once",
		Subjects:           []string{subjectAll},
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Discard:            jetstream.DiscardNew,
		MaxAge:             Retention,
		MaxMsgSize:         maxMessageBytes,
		Replicas:           max(o.Replicas, 1),
		AllowDirect:        true,
		AllowAtomicPublish: true,
	}
}
