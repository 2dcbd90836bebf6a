package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const (
	// defaultMaxBytes is the cap of a new log, if the server has room for it.
	defaultMaxBytes = 64 << 30
	// minMaxBytes is where looking for a cap that fits ends.
	minMaxBytes = 256 << 20
	// reserveBytes is what is left for the other streams where the disk is small; reserveStream keeps it meanwhile.
	reserveBytes  = 4 << 30
	reserveStream = "RESERVE"
	// maxMessageBytes bounds a message, headers included. It is the default bound of a NATS server.
	maxMessageBytes = 1 << 20
)

// openStreams makes the streams at the first start. Later it checks that they are the ones made then: a stream
// made again in their place would pass for the log, empty.
func (l *Log) openStreams(ctx context.Context, bucket jetstream.KeyValue, o Options) error {
	var (
		made map[string]time.Time
		err  error
	)

	if err = l.patiently(ctx, func(ctx context.Context) error {
		made, err = madeStreams(ctx, bucket)

		return err
	}); err != nil {
		return err
	}

	if made == nil && o.MaxBytes == 0 && l.layout.Replicas == 1 {
		defer l.reserve(ctx)()
	}

	l.streams = make([]jetstream.Stream, l.layout.Streams)
	created := make(map[string]time.Time, l.layout.Streams)

	for i := range l.streams {
		name := l.layout.streamName(i)

		if err = l.patiently(ctx, func(ctx context.Context) error {
			l.streams[i], err = l.openStream(ctx, i, made == nil, o)

			return err
		}); err != nil {
			return fmt.Errorf("opening stream %s: %w", name, err)
		}

		created[name] = l.streams[i].CachedInfo().Created
	}

	if made == nil {
		if err = l.patiently(ctx, func(ctx context.Context) error {
			made, err = keepMade(ctx, bucket, created)

			return err
		}); err != nil {
			return err
		}

		l.spreadAtFirst(ctx)
	}

	for name, at := range created {
		if !made[name].Equal(at) {
			return fmt.Errorf("%w: %s was made again at %s", ErrStreamGone, name, at.UTC().Format(time.RFC3339))
		}
	}

	return l.adjustStreams(ctx, o)
}

// reserve keeps room on the disk for the other streams of Hale, which are made after those of the log, until it is
// released: the log takes what it can get. Where there is no room, or the server is a cluster, nothing is reserved.
func (l *Log) reserve(ctx context.Context) (release func()) {
	_, err := jsretry.OpenStream(ctx, l.js, l.logger, jetstream.StreamConfig{
		Name: reserveStream, Description: "keeps room while the log is made",
	}, jsretry.Cap{Standard: reserveBytes, Least: minMaxBytes})
	if err != nil {
		l.logger.InfoContext(ctx, "no room can be kept for the other streams", "error", err)
	}

	return func() {
		err := l.js.DeleteStream(context.WithoutCancel(ctx), reserveStream)
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			l.logger.WarnContext(ctx, "giving back the room that was kept", "stream", reserveStream, "error", err)
		}
	}
}

// openStream opens a stream, and makes it if this is the first start.
func (l *Log) openStream(ctx context.Context, i int, first bool, o Options) (jetstream.Stream, error) {
	stream, err := l.js.Stream(ctx, l.layout.streamName(i))

	switch {
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return stream, err //nolint:wrapcheck // wrapped by openStreams
	case !first:
		return nil, ErrStreamGone
	default:
		return l.makeStream(ctx, i, o)
	}
}

// madeStreams reads when each stream was made; nil: the first start is not complete.
func madeStreams(ctx context.Context, bucket jetstream.KeyValue) (map[string]time.Time, error) {
	entry, err := bucket.Get(ctx, streamsKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil //nolint:nilnil // nil says: none yet
	}

	if err != nil {
		return nil, fmt.Errorf("reading the list of streams: %w", err)
	}

	made := map[string]time.Time{}
	if err := json.Unmarshal(entry.Value(), &made); err != nil {
		return nil, fmt.Errorf("decoding the list of streams: %w", err)
	}

	return made, nil
}

// keepMade stores when each stream was made, once, and returns what is stored.
func keepMade(
	ctx context.Context, bucket jetstream.KeyValue, created map[string]time.Time,
) (map[string]time.Time, error) {
	value, err := json.Marshal(created)
	if err != nil {
		return nil, fmt.Errorf("encoding the list of streams: %w", err)
	}

	if _, err = bucket.Create(ctx, streamsKey, value); errors.Is(err, jetstream.ErrKeyExists) {
		return madeStreams(ctx, bucket)
	}

	if err != nil {
		return nil, fmt.Errorf("storing the list of streams: %w", err)
	}

	return created, nil
}

// makeStream makes a stream. If no cap is asked for and the server has no room for the default, it takes what
// fits, and so do the streams made before it: the cap of the log is shared evenly.
func (l *Log) makeStream(ctx context.Context, i int, o Options) (jetstream.Stream, error) {
	config := l.streamConfig(i, orDefault(o.MaxBytes, int64(defaultMaxBytes)), o.MaxAge)
	if i > 0 && o.MaxBytes == 0 {
		config.MaxBytes = min(config.MaxBytes, l.streams[i-1].CachedInfo().Config.MaxBytes)
	}

	for {
		stream, err := jsretry.CreateStream(ctx, l.js, config)

		smaller := config.MaxBytes / 2 // halves
		if !jsretry.NoStorage(err) || o.MaxBytes != 0 || smaller < minMaxBytes {
			return stream, err
		}

		l.logger.InfoContext(ctx, "the disk has no room for the cap of the log: it is halved",
			"stream", config.Name, "max_bytes", config.MaxBytes)

		config.MaxBytes = smaller

		if err := l.shrinkStreams(ctx, i, smaller); err != nil {
			return nil, err
		}
	}
}

// shrinkStreams brings the cap of the first n streams down to maxBytes each.
func (l *Log) shrinkStreams(ctx context.Context, n int, maxBytes int64) error {
	for i, stream := range l.streams[:n] {
		config := stream.CachedInfo().Config
		if config.MaxBytes <= maxBytes {
			continue
		}

		config.MaxBytes = maxBytes

		updated, err := l.js.UpdateStream(ctx, config)
		if err != nil {
			return fmt.Errorf("lowering the cap of %s: %w", config.Name, err)
		}

		l.streams[i] = updated
	}

	return nil
}

func (l *Log) streamConfig(i int, maxBytes int64, maxAge time.Duration) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        l.layout.streamName(i),
		Description: "Hale's event log " + l.layout.ID,
		Subjects:    l.layout.subjects(i),
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    maxBytes / int64(l.layout.Streams),
		MaxAge:      maxAge,
		MaxMsgSize:  maxMessageBytes,
		Replicas:    l.layout.Replicas,
		AllowDirect: true,
		// Trim needs a purge up to a sequence, and the server knows only one permission for both. Readers find a
		// stream that somebody emptied by hand: ErrTrimmed. Messages can be deleted one by one as well: an operator
		// may have to take one out.
	}
}

// adjustStreams brings the cap to what is asked for explicitly. Everything else of a stream stays.
func (l *Log) adjustStreams(ctx context.Context, o Options) error {
	if o.MaxBytes == 0 && o.MaxAge == 0 {
		return nil
	}

	for i, stream := range l.streams {
		config := stream.CachedInfo().Config
		asked := config
		asked.MaxBytes = orDefault(o.MaxBytes/int64(l.layout.Streams), config.MaxBytes)
		asked.MaxAge = max(o.MaxAge, config.MaxAge)

		if asked.MaxBytes == config.MaxBytes && asked.MaxAge == config.MaxAge {
			continue
		}

		updated, err := l.js.UpdateStream(ctx, asked)
		if err != nil {
			return fmt.Errorf("changing the cap of %s: %w", config.Name, err)
		}

		l.streams[i] = updated
	}

	return nil
}
