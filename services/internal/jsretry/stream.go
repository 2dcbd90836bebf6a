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
	// Standard is the cap where nothing was said. If the server has no room for it, it takes what fits: halves of it down to
	// Least.
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

func makeStream(
	ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, c Cap,
) (jetstream.Stream, error) {
	for {
		stream, err := js.CreateStream(ctx, config)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster, with another cap
			stream, err = js.Stream(ctx, config.Name)
		}

		if !NoStorage(err) {
			return stream, err //nolint:wrapcheck // wrapped by OpenStream
		}

		if config.MaxBytes /= 2; c.Asked == 0 && config.MaxBytes >= c.Least {
			continue
		}

		if there, missing := js.Stream(ctx, config.Name); missing == nil { // another process was faster, and took the room
			return there, nil
		}

		return nil, err //nolint:wrapcheck // wrapped by OpenStream
	}
}
