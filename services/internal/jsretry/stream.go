package jsretry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"
)

// Cap is how many bytes a stream may hold.
type Cap struct {
	// Asked is what the operator wants, of a stream that is there too, and there must be room for it; 0: nothing was said.
	Asked int64
	// Standard is the cap where nothing was said. If the server has no room for twice as much, it is halved until it has, down
	// to Least, for which there must be room.
	Standard, Least int64
}

// OpenStream opens a stream, and makes it if there is none; several processes may do so at once. The cap of one that is
// there changes only when another is asked for, the rest of it stays as it is.
func OpenStream(
	ctx context.Context, js jetstream.JetStream, logger *slog.Logger, config jetstream.StreamConfig, c Cap,
) (jetstream.Stream, error) {
	config.MaxBytes = c.Asked
	if c.Asked == 0 {
		config.MaxBytes = c.Standard
	}

	var stream jetstream.Stream

	err := Do(ctx, logger, func(ctx context.Context) (err error) {
		stream, err = js.Stream(ctx, config.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			stream, err = makeStream(ctx, js, config, c)
		}

		if err != nil || c.Asked == 0 || c.Asked == stream.CachedInfo().Config.MaxBytes {
			return err
		}

		there := stream.CachedInfo().Config
		there.MaxBytes = c.Asked
		stream, err = js.UpdateStream(ctx, there)

		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", config.Name, err)
	}

	return stream, nil
}

// makeStream makes a stream with the cap that was asked for, or with the largest that leaves as much room as it takes: the
// streams that are made after it need some, too.
func makeStream(
	ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, c Cap,
) (jetstream.Stream, error) {
	if c.Asked == 0 {
		for config.MaxBytes = c.Standard; config.MaxBytes > c.Least; config.MaxBytes /= 2 { // halves
			stream, err := createStream(ctx, js, doubled(config))
			if NoStorage(err) {
				continue
			}

			if err != nil || stream.CachedInfo().Config.MaxBytes != 2*config.MaxBytes { // of another process
				return stream, err
			}

			return js.UpdateStream(ctx, config) //nolint:wrapcheck // wrapped by OpenStream
		}

		config.MaxBytes = c.Least
	}

	return createStream(ctx, js, config)
}

// doubled is the configuration with room for as much again.
func doubled(config jetstream.StreamConfig) jetstream.StreamConfig {
	config.MaxBytes *= 2

	return config
}

// createStream makes a stream, or finds the one that another process has made, perhaps with another cap, or taking all the
// room.
func createStream(
	ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig,
) (jetstream.Stream, error) {
	stream, err := js.CreateStream(ctx, config)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) || NoStorage(err) {
		if there, missing := js.Stream(ctx, config.Name); missing == nil {
			return there, nil
		}
	}

	return stream, err //nolint:wrapcheck // wrapped by OpenStream
}
