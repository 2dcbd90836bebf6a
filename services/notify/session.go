package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/lease"
)

const (
	// batch is how many transitions are decided before their deliveries are written together.
	batch = 512
	// sweepEvery is how often what is old is removed.
	sweepEvery = 24 * time.Hour
)

// session is one state, from when it is loaded until there is doubt about it.
type session struct {
	service *Service
	state   *dispatch.State

	entries chan alertlog.Entry
	wishes  chan delivery.Wish
	results chan result
	made    chan made
	broken  chan error // what the followers ended with
	timer   chan struct{}

	jobs    sync.WaitGroup
	running int

	observed, swept time.Time
	life            context.Context //nolint:containedctx // of all jobs of the session, which outlive calls
	senders         senders
}

// session loads the state and works on it until ctx ends or something fails.
func (s *Service) session(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.setups.whole:
	}

	state := dispatch.New(s.deps.Random)
	state.Retain(s.config.Retention)

	if err := s.deps.Journal.Load(ctx, state.Load); err != nil {
		return fmt.Errorf("loading deliveries: %w", err)
	}

	// Jobs end by themselves when the service stops, and at once when the session is in doubt.
	jobs, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()

	w := &session{
		service: s, state: state, entries: make(chan alertlog.Entry, batch), wishes: make(chan delivery.Wish),
		results: make(chan result), made: make(chan made), broken: make(chan error, 2), timer: make(chan struct{}, 1), life: jobs,
		senders: senders{make: s.deps.Senders},
	}

	following, stop := context.WithCancel(ctx)

	var followers sync.WaitGroup

	followers.Go(func() { w.followAlerts(following, state.Cursor()) })
	followers.Go(func() { w.followWishes(following) })

	err := w.work(ctx)

	stop()

	// Who stops in order, or reads all again, lets end what is under way. Who does not lead any more does not: somebody
	// else sends it.
	if (err == nil && !errors.Is(context.Cause(ctx), lease.ErrLost)) || errors.Is(err, alertlog.ErrGone) {
		err = errors.Join(err, w.drain(ctx))
	}

	abort()
	w.forget()
	followers.Wait()

	return err
}

func (w *session) followAlerts(ctx context.Context, after delivery.Cursor) {
	place := alertlog.Place{Stream: after.Stream, Sequence: after.Sequence, Time: after.Time}

	err := w.service.deps.Alerts.Check(ctx, place)
	if err == nil {
		err = w.service.deps.Alerts.Follow(ctx, place, func(e alertlog.Entry) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case w.entries <- e:
				return nil
			}
		})
	}

	w.broken <- fmt.Errorf("following alerts behind %d: %w", after.Sequence, err)
}

func (w *session) followWishes(ctx context.Context) {
	w.broken <- w.service.deps.Journal.FollowWishes(ctx, func(wish delivery.Wish) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case w.wishes <- wish:
			return nil
		}
	})
}

// work does what is to be done until ctx ends or something fails.
func (w *session) work(ctx context.Context) error {
	changed := w.service.setups.apply(w.state)

	for {
		if err := w.sweep(ctx); err != nil {
			return err
		}

		if err := w.digest(ctx); err != nil {
			return err
		}

		if err := w.start(ctx); err != nil {
			return err
		}

		w.service.trouble.Store(nil)
		w.observe()

		stop := w.wake()

		var err error

		select {
		case <-ctx.Done():
			stop()

			return nil
		case <-changed:
			changed = w.service.setups.apply(w.state)
		case <-w.timer:
		case e := <-w.entries:
			err = w.accept(ctx, e)
		case r := <-w.results:
			err = w.record(ctx, r)
		case wish := <-w.wishes:
			err = w.grant(ctx, wish)
		case m := <-w.made:
			if m.err != nil {
				w.undigested(ctx, m)
			} else {
				err = w.digested(ctx, m)
			}
		case err = <-w.broken:
			err = w.follow(ctx, err)
		}

		stop()

		if err != nil {
			return err
		}
	}
}

// sweep removes what is old and decides nothing any more, once a day.
func (w *session) sweep(ctx context.Context) error {
	now := w.service.deps.Clock.Now()
	if now.Sub(w.swept) < sweepEvery {
		return nil
	}

	return w.sweepNow(ctx, now)
}

func (w *session) sweepNow(ctx context.Context, now time.Time) error {
	w.swept = now

	removed, err := w.service.deps.Journal.Sweep(ctx, now.Add(-w.service.config.Retention), w.state.Needed)
	if removed > 0 {
		w.service.deps.Logger.InfoContext(ctx, "old deliveries are removed", slog.Int("records", removed))
	}

	return err
}

// observe notes what waits, now and then: it takes a look at everything.
func (w *session) observe() {
	if now := w.service.deps.Clock.Now(); now.Sub(w.observed) >= time.Second {
		w.observed = now
		w.service.metrics.observe(w.state.Stats())
	}
}

// wake has the loop go on when something is to be done.
func (w *session) wake() (stop func() bool) {
	now := w.service.deps.Clock.Now()

	next := w.state.Next(now)
	if next.IsZero() {
		return func() bool { return true }
	}

	return w.service.deps.Clock.AfterFunc(max(next.Sub(now), time.Millisecond), func() {
		select {
		case w.timer <- struct{}{}:
		default:
		}
	})
}

// start does what is to be done now.
func (w *session) start(ctx context.Context) error {
	plan, err := w.state.Start(w.service.deps.Clock.Now())
	if err != nil {
		return err
	}

	if err := w.put(ctx, plan.Writes); err != nil {
		return err
	}

	for _, j := range plan.Jobs {
		w.run(j)
	}

	return nil
}

// accept decides a transition, and those that wait behind it, and moves the cursor when all deliveries are written.
func (w *session) accept(ctx context.Context, e alertlog.Entry) error {
	var (
		writes []delivery.Write
		now    = w.service.deps.Clock.Now()
		last   alertlog.Place
	)

	for n := 0; ; n++ {
		more, err := w.state.Accept(e.Sequence, e.Record, now)
		if err != nil {
			return err
		}

		writes, last = append(writes, more...), e.Place()

		if n+1 >= batch {
			break
		}

		select {
		case e = <-w.entries:
			continue
		default:
		}

		break
	}

	if err := w.put(ctx, writes); err != nil {
		return err
	}

	return w.put(ctx, []delivery.Write{w.state.Advance(delivery.Cursor{
		Stream: last.Stream, Sequence: last.Sequence, Time: last.Time,
	})})
}

// grant lets a dead notice be tried again.
func (w *session) grant(ctx context.Context, wish delivery.Wish) error {
	writes, err := w.state.Resend(wish.Workspace, wish.ID, w.service.deps.Clock.Now())
	if err != nil {
		return err
	}

	if err := w.put(ctx, writes); err != nil {
		return err
	}

	return w.service.deps.Journal.Grant(ctx, wish)
}

// follow says what is to be done when a follower ended. Where ALERTS does not go back to the cursor any more, all that it
// has is read, by the next session; what has its deliveries is not decided again.
func (w *session) follow(ctx context.Context, err error) error {
	if ctx.Err() != nil || !errors.Is(err, alertlog.ErrGone) {
		return err
	}

	for len(w.entries) > 0 { // what was read before it was lost
		if err := w.accept(ctx, <-w.entries); err != nil {
			return err
		}
	}

	w.service.raise(ctx, codeAlertsGone, err, "alerts were lost before they were delivered; what is left is read")

	return errors.Join(err, w.put(ctx, []delivery.Write{w.state.Anew()}))
}
