package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/reject"
)

const (
	// retryWaiting is when events that could not be sent again are tried once more.
	retryWaiting = 5 * time.Second
	// maxWoken bounds the users whose events are to be sent again. Beyond it they are found when the directory next
	// looks at the user, who stays unsettled.
	maxWoken = 100_000
)

// who is a user of a workspace.
type who struct{ workspace, user string }

// waiting sends the events again that wait in REJECTS for a user to become known.
type waiting struct {
	resender *Resender
	log      *slog.Logger
	signal   chan struct{}

	mu    sync.Mutex
	queue []who
	asked map[who]struct{}
}

func newWaiting(r *Resender, log *slog.Logger) *waiting {
	return &waiting{resender: r, log: log, signal: make(chan struct{}, 1), asked: make(map[who]struct{})}
}

// wake asks for a user's events to be sent again. It never blocks.
func (w *waiting) wake(workspace, user string) {
	u := who{workspace: workspace, user: user}

	w.mu.Lock()
	defer w.mu.Unlock()

	if _, ok := w.asked[u]; ok || len(w.queue) >= maxWoken {
		return
	}

	w.asked[u] = struct{}{}
	w.queue = append(w.queue, u)

	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// next takes the first user off the queue.
func (w *waiting) next() (who, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if len(w.queue) == 0 {
		w.queue = nil

		return who{}, false
	}

	u := w.queue[0]
	w.queue = w.queue[1:]
	delete(w.asked, u) // from here on, news ask again

	return u, true
}

// run works until ctx ends.
func (w *waiting) run(ctx context.Context) {
	var (
		failed []who
		retry  = time.NewTicker(retryWaiting)
	)

	defer retry.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-w.signal:
		case <-retry.C:
			for _, u := range failed {
				w.wake(u.workspace, u.user)
			}

			failed = nil
		}

		for u, ok := w.next(); ok && ctx.Err() == nil; u, ok = w.next() {
			if err := w.send(ctx, u); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "sending waiting events again later", "workspace", u.workspace, "error", err)

				failed = append(failed, u)
			}
		}
	}
}

// send sends a user's waiting events again, and settles the user if nothing came up meanwhile.
func (w *waiting) send(ctx context.Context, u who) error {
	p := w.resender.publisher

	revision, unsettled, err := p.directory.Unsettled(ctx, u.workspace, u.user)
	if err != nil {
		return fmt.Errorf("looking for events to send again: %w", err)
	}

	err = p.rejects.ByKey(ctx, u.workspace, string(CodeUnknownUser), directory.Key(u.workspace, u.user),
		func(s reject.Stored) error { return w.one(ctx, s) })
	if err != nil {
		return fmt.Errorf("sending events again: %w", err)
	}

	if !unsettled {
		return nil
	}

	if err := p.directory.Settle(ctx, u.workspace, u.user, revision); err != nil {
		return fmt.Errorf("noting that nothing waits: %w", err)
	}

	return nil
}

// one sends one event again. One that is refused again stays for people to look at.
func (w *waiting) one(ctx context.Context, s reject.Stored) error {
	_, err := w.resender.Resend(ctx, s)

	if refused, ok := errors.AsType[*RefusedError](err); ok {
		w.resender.publisher.metrics.again(ctx, string(refused.Code))

		if refused.Code == CodeUnknownUser {
			return w.resender.moveOn(ctx, s, refused.waits)
		}

		return nil
	}

	if err != nil {
		return err
	}

	w.resender.publisher.metrics.again(ctx, "ok")

	return nil
}
