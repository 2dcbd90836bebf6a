package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
)

// retry bounds the pause before a stream is claimed again after a failure.
const (
	retryFirst = 50 * time.Millisecond
	retryLast  = 2 * time.Second
)

// ownStream owns the partitions of a stream until ctx ends. After any doubt (a fenced or unknown commit, a
// broken reader) it drops everything it holds in memory and starts over from the store.
func (s *Service) ownStream(ctx context.Context, stream int) error {
	var condemned condemned
	pause := retryFirst
	for {
		started := s.cfg.Now()
		err := s.runStream(ctx, stream, condemned)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.setState(stream, err.Error())
		s.metrics.restarts.Add(ctx, 1)
		if poison := (*poisonError)(nil); errors.As(err, &poison) {
			condemned = append(condemned, *poison)
		}
		level := slog.LevelWarn
		if alarm := (*AlarmError)(nil); errors.As(err, &alarm) {
			s.metrics.alarm(ctx, alarm.Code)
			level = slog.LevelError
		}
		s.deps.Logger.Log(ctx, level, "stream starts over from the store", "stream", stream, "error", err)
		if s.cfg.Now().Sub(started) > retryLast {
			pause = retryFirst
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, retryLast)
	}
}

// runStream claims the stream's partitions and scores them until something fails or ctx ends.
func (s *Service) runStream(ctx context.Context, stream int, condemned condemned) error {
	layout := s.deps.Log.Layout()
	workers := map[int]*worker{}
	from := uint64(0)
	for p := range layout.Partitions {
		if layout.Stream(p) != stream {
			continue
		}
		w, err := s.claim(ctx, stream, p, condemned)
		if err != nil {
			return fmt.Errorf("claiming partition %d: %w", p, err)
		}
		if len(workers) == 0 || w.start+1 < from {
			from = w.start + 1
		}
		workers[p] = w
	}
	info, err := s.deps.Log.Info(ctx, stream)
	if err != nil {
		return fmt.Errorf("asking for the end of stream %d: %w", stream, err)
	}
	s.setState(stream, "catching up with the log")
	group, groupCtx := errgroup.WithContext(ctx)
	o := &owner{service: s, stream: stream, workers: workers, end: info.Last}
	for _, w := range workers {
		group.Go(func() error { return w.run(groupCtx) })
	}
	group.Go(func() error { return s.tick(groupCtx, workers) })
	group.Go(func() error {
		if info.Last < from {
			if err := o.caughtUp(groupCtx); err != nil {
				return err
			}
		}
		err := s.deps.Log.Read(groupCtx, stream, from, func(m *eventlog.Message) error { return o.dispatch(groupCtx, m) })
		if groupCtx.Err() != nil {
			return groupCtx.Err()
		}
		return fmt.Errorf("reading stream %d: %w", stream, err)
	})
	return group.Wait() //nolint:wrapcheck // the group's own goroutines have wrapped
}

// owner is one try of owning a stream.
type owner struct {
	service *Service
	stream  int
	workers map[int]*worker
	// end is the last message that the stream held at the claim; ready says that all up to it is committed, or
	// about to be.
	end   uint64
	ready bool
}

// dispatch hands a message to its partition's worker. A worker that is behind holds the reader back.
func (o *owner) dispatch(ctx context.Context, m *eventlog.Message) error {
	w := o.workers[m.Partition]
	if w == nil {
		return alarmf("foreign_partition",
			"message %d of stream %d is for partition %d, which is not in it", m.Sequence, o.stream, m.Partition)
	}
	if err := o.believable(ctx, m); err != nil {
		return err
	}
	if m.Sequence > w.start {
		if err := w.give(ctx, task{message: m}); err != nil {
			return err
		}
	}
	o.service.metrics.lag(m, o.service.cfg.Now())
	if (m.Sequence >= o.end || m.Pending == 0) && !o.ready { // the end itself may have been deleted
		return o.caughtUp(ctx)
	}
	return nil
}

// caughtUp makes the stream ready as soon as every worker has committed what it has been given so far.
func (o *owner) caughtUp(ctx context.Context) error {
	o.ready = true
	var open atomic.Int64
	open.Store(int64(len(o.workers)))
	for _, w := range o.workers {
		err := w.give(ctx, task{committed: func() {
			if open.Add(-1) == 0 {
				o.service.setState(o.stream, "")
			}
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// believable holds a message back whose timestamp is far ahead of the owner's clock: one wrong clock
// must not age every account. It waits, in alarm, until the clock agrees.
func (o *owner) believable(ctx context.Context, m *eventlog.Message) error {
	s := o.service
	if time.UnixMicro(m.Time).Sub(s.cfg.Now()) <= clockTolerance {
		return nil
	}
	defer s.hold(o.stream, "")
	for {
		ahead := time.UnixMicro(m.Time).Sub(s.cfg.Now())
		if ahead <= clockTolerance {
			return nil
		}
		s.hold(o.stream, fmt.Sprintf("message %d is %s ahead of this clock", m.Sequence, ahead))
		s.metrics.alarm(ctx, "clock_ahead")
		s.deps.Logger.ErrorContext(ctx, "partition stopped: a message is ahead of the clock",
			"stream", o.stream, "partition", m.Partition, "sequence", m.Sequence, "ahead", ahead)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(ahead-clockTolerance, time.Second)):
		}
	}
}

// condemned remembers, over restarts of a stream, the records whose folding failed inside. Only the
// goroutine that owns the stream uses it.
type condemned []poisonError

func (c condemned) tell(p *fold.Partition, number int) {
	for _, e := range c {
		switch {
		case e.partition != number:
		case e.account != "":
			p.Shun(e.account)
		default:
			p.Condemn(e.sequence, e.hash, e.index, e.why)
		}
	}
}

// poisonError says that folding a record, or sweeping an account, failed inside. On the next try the record is refused,
// the account passed over.
type poisonError struct {
	partition      int
	account        string // of a sweep; empty for a record
	sequence, hash uint64
	index          int
	why            string
}

func (e *poisonError) Error() string {
	if e.account != "" {
		return fmt.Sprintf("sweeping account %q in partition %d: %s", e.account, e.partition, e.why)
	}
	return fmt.Sprintf("folding record %d of message %d in partition %d: %s", e.index, e.sequence, e.partition, e.why)
}
