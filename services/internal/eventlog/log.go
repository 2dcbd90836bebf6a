package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"hale.dev/services/internal/jsretry"
)

// Options says how to open a log. Zero values work.
type Options struct {
	// Partitions, Streams and Replicas of a new log; 0: 16, 1, 1. Of an existing log the stored ones count: other
	// partitions or streams than those are ErrLayout.
	Partitions, Streams, Replicas int
	// MaxBytes is the cap of the whole log, shared evenly by its streams. 0: of a new log 64 GiB, or as much of
	// it as the server has room for; of an existing log its own.
	MaxBytes int64
	// MaxAge after which the server may drop messages. 0: never. Nothing may be trimmed until checkpoints of
	// the state exist, since some facts outlive every window; so nobody should set it yet.
	MaxAge time.Duration
	// Logger; nil: silent.
	Logger *slog.Logger
	// Meter provider; nil: no metrics.
	Meter metric.MeterProvider
}

// Log is an open event log. Safe for concurrent use.
type Log struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	layout  Layout
	streams []jetstream.Stream
	logger  *slog.Logger
	meter   metric.Meter
}

// meterName names the instrumentation.
const meterName = "hale.dev/services/internal/eventlog"

// Open opens the log behind a connection. The first start fixes the layout and makes the streams; several
// processes may do so at once. A cluster that has no leader yet, or not all of its nodes, is waited for until ctx
// ends. A stream that was there and is gone is ErrStreamGone: to go on without it, delete
// the bucket hale_layout, which makes a new log.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Log, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}

	log := &Log{conn: nc, js: js, logger: o.Logger}
	if log.logger == nil {
		log.logger = slog.New(slog.DiscardHandler)
	}

	bucket, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: layoutBucket, Description: "Layout of the event log", Replicas: o.Replicas,
	}, log.logger)
	if err != nil {
		return nil, fmt.Errorf("opening the layout's bucket: %w", err)
	}

	if err = log.patiently(ctx, func(ctx context.Context) error {
		log.layout, err = loadLayout(ctx, bucket, o)

		return err
	}); err != nil {
		return nil, err
	}

	provider := o.Meter
	if provider == nil {
		provider = noop.NewMeterProvider()
	}

	log.meter = provider.Meter(meterName)

	if err := log.openStreams(ctx, bucket, o); err != nil {
		return nil, err
	}

	return log, nil
}

// errBehind says that a replica did not have what another one had.
var errBehind = fmt.Errorf("a replica is behind: %w", nats.ErrTimeout)

// patiently repeats a call while the cluster has nobody who could answer it.
func (l *Log) patiently(ctx context.Context, f func(ctx context.Context) error) error {
	return jsretry.Do(ctx, l.logger, f)
}

// Layout is the log's layout.
func (l *Log) Layout() Layout { return l.layout }

// Conn is the log's connection, for what passes by without being kept.
func (l *Log) Conn() *nats.Conn { return l.conn }

// JetStream is the log's JetStream, for what else lives in it.
func (l *Log) JetStream() jetstream.JetStream { return l.js }

// Info asks the server for the state of a stream.
func (l *Log) Info(ctx context.Context, stream int) (StreamInfo, error) {
	if stream < 0 || stream >= len(l.streams) {
		return StreamInfo{}, fmt.Errorf("%w: there is no stream %d", ErrStreamGone, stream)
	}

	info, err := l.stateOf(ctx, l.streams[stream])
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return StreamInfo{}, fmt.Errorf("%w: %s", ErrStreamGone, l.layout.streamName(stream))
	}

	if err != nil {
		return StreamInfo{}, fmt.Errorf("%w: asking for %s: %w", ErrUnavailable, l.layout.streamName(stream), err)
	}

	if info.Cluster != nil && info.Cluster.Leader == "" && l.layout.Replicas > 1 {
		// A server answers for a stream without a leader too, with what it happens to hold.
		return StreamInfo{}, fmt.Errorf("%w: %s has no leader", ErrUnavailable, l.layout.streamName(stream))
	}

	first := info.State.FirstSeq
	if info.State.Msgs == 0 {
		first = info.State.LastSeq + 1 // a new stream says 0
	}

	return StreamInfo{
		First: first, Last: info.State.LastSeq,
		Bytes: int64(info.State.Bytes), MaxBytes: info.Config.MaxBytes, //nolint:gosec // below MaxBytes
		Created: info.Created,
	}, nil
}

// apiWait bounds one question to JetStream, which answers at once or, without a leader, never.
const apiWait = 5 * time.Second

func (l *Log) stateOf(ctx context.Context, stream jetstream.Stream) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	return stream.Info(ctx) //nolint:wrapcheck // wrapped by the callers
}

// get reads one message. Any replica may answer, also one that is behind; so what a replica does not have is asked of
// the leader.
func (l *Log) get(ctx context.Context, stream int, seq uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	raw, err := l.streams[stream].GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) && l.layout.Replicas > 1 {
		return l.askLeader(ctx, stream, leaderRequest{Sequence: seq})
	}

	return raw, err //nolint:wrapcheck // wrapped by MessageAt
}

// MessageAt reads one message; ErrNoMessage if the stream has none at the sequence. Pending is not filled.
func (l *Log) MessageAt(ctx context.Context, stream int, seq uint64) (Message, error) {
	if stream < 0 || stream >= len(l.streams) {
		return Message{}, fmt.Errorf("%w: there is no stream %d", ErrStreamGone, stream)
	}

	name := l.layout.streamName(stream)
	if seq == 0 {
		return Message{}, fmt.Errorf("%w: sequence 0 of %s", ErrNoMessage, name)
	}

	raw, err := l.get(ctx, stream, seq)

	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Message{}, fmt.Errorf("%w: sequence %d of %s", ErrNoMessage, seq, name)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return Message{}, fmt.Errorf("%w: %s", ErrStreamGone, name)
	case err != nil:
		return Message{}, fmt.Errorf("%w: reading sequence %d of %s: %w", ErrUnavailable, seq, name, err)
	}

	message := l.decode(stream, raw.Subject, raw.Data, raw.Header)
	message.Sequence, message.Time = raw.Sequence, raw.Time.UnixMicro()

	return message, nil
}
