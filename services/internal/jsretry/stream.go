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

// makeStream makes a stream with the cap that was asked for, or with the largest that fits. On a single server that leaves
// as much room as it takes, as the streams that are made after it need some, too. Nodes of a cluster hear late of what
// others have reserved, and refuse even to lower a cap meanwhile: there it takes what it gets.
func makeStream(
	ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, c Cap,
) (jetstream.Stream, error) {
	if c.Asked != 0 {
		return CreateStream(ctx, js, config)
	}

	for config.MaxBytes = c.Standard; config.MaxBytes > c.Least; config.MaxBytes /= 2 { // halves
		tried := config
		if config.Replicas <= 1 {
			tried.MaxBytes *= 2 // as much again
		}

		stream, err := CreateStream(ctx, js, tried)
		if NoStorage(err) {
			continue
		}

		if err != nil || tried.MaxBytes == config.MaxBytes || stream.CachedInfo().Config.MaxBytes != tried.MaxBytes {
			return stream, err // the last: another process was faster
		}

		lowered, err := js.UpdateStream(ctx, config)
		if NoStorage(err) {
			return stream, nil
		}

		return lowered, err //nolint:wrapcheck // wrapped by OpenStream
	}

	config.MaxBytes = c.Least

	return CreateStream(ctx, js, config)
}

// CreateStream makes a stream, or finds the one that another process has made, perhaps with another cap, or taking all the
// room.
func CreateStream(
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
