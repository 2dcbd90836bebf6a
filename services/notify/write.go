package notify

import (
	"context"
	"errors"
	"fmt"

	"hale.dev/services/internal/delivery"
)

// put writes records and tells the state where they are. As long as the stream has no room it waits: a session that
// began anew would try again what was sent, and has no record of it.
func (w *session) put(ctx context.Context, writes []delivery.Write) error {
	for full := false; len(writes) > 0; full = true {
		sequences, err := w.service.deps.Journal.Put(ctx, writes...)
		if err != nil && !errors.Is(err, delivery.ErrFull) {
			return fmt.Errorf("writing deliveries: %w", err)
		}

		writes = w.written(writes, sequences)

		if err != nil {
			if err := w.waitForRoom(ctx, err, full); err != nil {
				return err
			}
		}
	}

	return nil
}

// written tells the state which records are written, and returns the others.
func (w *session) written(writes []delivery.Write, sequences []uint64) (left []delivery.Write) {
	for i, one := range writes {
		if sequences[i] == 0 {
			left = append(left, one)

			continue
		}

		w.state.Written(one.Record, sequences[i])
		w.service.metrics.count(one.Record)
	}

	return left
}

// waitForRoom waits a while for room in the stream, and makes some at first; waited says that it is not the first time.
func (w *session) waitForRoom(ctx context.Context, cause error, waited bool) error {
	s := w.service
	s.trouble.Store(&cause)

	if !waited {
		s.raise(ctx, codeNotifyFull, cause, "nothing is delivered until there is room")

		if err := w.sweepNow(ctx, s.deps.Clock.Now()); err != nil {
			return err
		}
	}

	s.pause(ctx)

	return context.Cause(ctx)
}
