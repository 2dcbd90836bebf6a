package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/store"
)

// retry bounds the pause before a stream is claimed again after a failure.
const (
	retryFirst = 50 * time.Millisecond
	retryLast  = 2 * time.Second
	// heldPause is how often a lease of another owner is looked at; its release is told as well.
	heldPause = 100 * time.Millisecond
)

// Reasons for which a stream is given up in order.
var (
	errUnwanted = errors.New("the stream is another process's now")
	// errRenewed says that something was put in place of what is live: claim it again.
	errRenewed = errors.New("the state was put in place anew")
)

// keepStream owns the partitions of a stream whenever this process should, until ctx ends. After any doubt (a fenced
// or unknown commit, a broken reader) it drops everything it holds in memory and starts over from the store.
func (s *Service) keepStream(ctx context.Context, stream int) error {
	var condemned condemned
	pause := retryFirst
	for {
		s.setState(stream, s.awaiting(stream))
		if err := s.desires.await(ctx, stream, true); err != nil {
			return err
		}
		started := s.uptime()
		err := s.runStream(ctx, stream, &condemned)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.uptime()-started > retryLast {
			pause = retryFirst
		}
		if errors.Is(err, errUnwanted) || errors.Is(err, errRenewed) {
			s.deps.Logger.InfoContext(ctx, "stream given up in order", "stream", stream, "because", err)
			continue
		}
		wait := pause
		if held := (*store.HeldError)(nil); errors.As(err, &held) {
			wait = min(held.Lease.TTL+time.Millisecond, heldPause)
			s.setState(stream, "waiting for the lease of "+held.Lease.Owner)
		} else {
			pause = min(2*pause, retryLast)
			s.failed(ctx, stream, err)
		}
		if err := s.rest(ctx, stream, wait); err != nil {
			return err
		}
	}
}

// awaiting says why a stream that is about to be looked for is not ready; empty: it is another's.
func (s *Service) awaiting(stream int) string {
	if wanted, _ := s.desires.get(stream); wanted {
		return "not claimed yet"
	}
	return ""
}

// rest waits, or until somebody tells of a change.
func (s *Service) rest(ctx context.Context, stream int, wait time.Duration) error {
	_, changed := s.desires.get(stream)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-time.After(wait):
	}
	return nil
}

// failed tells why a stream starts over.
func (s *Service) failed(ctx context.Context, stream int, err error) {
	s.setState(stream, err.Error())
	s.metrics.restarts.Add(ctx, 1)
	level := slog.LevelWarn
	code := ""
	if alarm := (*AlarmError)(nil); errors.As(err, &alarm) {
		s.metrics.alarm(ctx, alarm.Code)
		level, code = slog.LevelError, alarm.Code
	}
	s.deps.Logger.Log(ctx, level, "stream starts over from the store", "stream", stream, "code", code, "error", err)
}

// runStream claims the stream's partitions and scores them until something fails, the stream becomes another's, or ctx
// ends. In the last two cases everything folded is committed and the leases are released.
func (s *Service) runStream(ctx context.Context, stream int, condemned *condemned) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	s.spawn(func() {
		if s.desires.await(ctx, stream, false) == nil {
			giveUp(errUnwanted)
		}
	})
	heads, err := s.claim(ctx, stream)
	if err != nil {
		return s.ended(ctx, stream, heads, err)
	}
	s.metrics.leaseHeld(ctx, stream, true)
	defer s.metrics.leaseHeld(context.WithoutCancel(ctx), stream, false)
	o := &owner{service: s, stream: stream, giveUp: giveUp}
	err = o.run(ctx, heads, *condemned)
	if poison := (*poisonError)(nil); errors.As(err, &poison) {
		*condemned = append(*condemned, *poison)
	}
	return s.ended(ctx, stream, heads, err)
}

// ended says why a try of owning a stream ended. If it was given up in order, the next owner need not wait.
func (s *Service) ended(ctx context.Context, stream int, heads map[int]store.Head, err error) error {
	if ctx.Err() == nil {
		return err
	}
	s.release(ctx, stream, heads)
	return context.Cause(ctx)
}

// owner is one try of owning a stream.
type owner struct {
	service *Service
	stream  int
	// giveUp ends the try, with the reason.
	giveUp  context.CancelCauseFunc
	workers map[int]*worker
	from    uint64 // the sequence from which the log is read
	// end is the last message that the stream held at the claim; ready says that all up to it is committed, or
	// about to be.
	end   uint64
	ready bool
}

// run opens the claimed partitions, reads the stream, and hands messages to workers.
func (o *owner) run(ctx context.Context, heads map[int]store.Head, condemned condemned) error {
	s := o.service
	if err := o.open(ctx, heads, condemned); err != nil {
		return err
	}
	s.open.Add(int64(len(o.workers)))
	defer s.open.Add(-int64(len(o.workers)))
	s.setState(o.stream, "catching up with the log")
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range o.workers {
		group.Go(func() error { return w.run(ctx) })
		if w.outbox != nil {
			group.Go(func() error { return w.outbox.run(ctx) })
		}
	}
	group.Go(func() error { return s.tick(ctx, o.workers) })
	group.Go(func() error { return o.read(ctx) })
	group.Go(func() error { return o.renew(ctx) })
	group.Go(func() error { return o.check(ctx) })
	group.Go(func() error { return o.mark(ctx) })
	group.Go(func() error { return o.spread(ctx) })
	group.Go(func() error { return o.work(ctx) })
	group.Go(func() error { return o.watchSources(ctx) })
	return group.Wait() //nolint:wrapcheck // the group's own goroutines have wrapped
}

// read reads the stream and hands its messages out.
func (o *owner) read(ctx context.Context) error {
	if o.end < o.from {
		if err := o.caughtUp(ctx); err != nil {
			return err
		}
	}
	err := o.service.deps.Log.Read(ctx, o.stream, o.from, func(m *eventlog.Message) error { return o.dispatch(ctx, m) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("reading stream %d: %w", o.stream, err)
}
