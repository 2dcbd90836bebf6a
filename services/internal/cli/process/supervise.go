package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// part is something that runs until its context ends.
type part struct {
	name string
	run  func(context.Context) error
}

// errEnded says that a part ended although nobody told it to.
var errEnded = errors.New("ended by itself")

// supervise runs the parts until ctx ends or one of them ends. Then it stops them one after
// another, the last first. It returns why it stopped: nil if ctx ended and all went well.
func supervise(ctx context.Context, parts []part, logger *slog.Logger) error {
	ended := make(chan error, len(parts))
	stops := make([]func(), 0, len(parts))

	for _, p := range parts {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})

		go func() {
			defer close(done)

			err := p.run(own)
			told := own.Err() != nil

			switch {
			case err != nil && (!told || !errors.Is(err, context.Canceled)):
				ended <- fmt.Errorf("%s: %w", p.name, err)
			case !told:
				ended <- fmt.Errorf("%s: %w", p.name, errEnded)
			default:
				ended <- nil
			}
		}()

		stops = append(stops, func() {
			cancel()
			<-done
			logger.DebugContext(ctx, "stopped", slog.String("part", p.name))
		})
	}

	var errs []error

	waiting := len(parts)

	select {
	case <-ctx.Done():
	case err := <-ended:
		errs = append(errs, err)
		waiting--
	}

	for _, stop := range slices.Backward(stops) {
		stop()
	}

	for range waiting {
		if err := <-ended; err != nil {
			errs = append(errs, err)
		}
	}

	return errors.Join(errs...)
}
