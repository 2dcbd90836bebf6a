package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	if info.Last < from {
		s.setState(stream, "")
	}

	group, groupCtx := errgroup.WithContext(ctx)
	for _, w := range workers {
		group.Go(func() error { return w.run(groupCtx) })
	}
	group.Go(func() error { return s.tick(groupCtx, workers) })
	group.Go(func() error {
		err := s.deps.Log.Read(groupCtx, stream, from, func(m *eventlog.Message) error {
			return s.dispatch(groupCtx, workers, m, info.Last)
		})
		if groupCtx.Err() != nil {
			return groupCtx.Err()
		}
		return fmt.Errorf("reading stream %d: %w", stream, err)
	})
	return group.Wait() //nolint:wrapcheck // the group's own goroutines have wrapped
}

// dispatch hands a message to its partition's worker. A worker that is behind holds the reader back.
func (s *Service) dispatch(ctx context.Context, workers map[int]*worker, m *eventlog.Message, caughtUp uint64) error {
	w := workers[m.Partition]
	if w == nil {
		return &AlarmError{Code: "foreign_partition", Why: fmt.Sprintf("message %d of stream %d is for partition %d, which is not in it", m.Sequence, m.Stream, m.Partition)}
	}
	if err := s.believable(ctx, m); err != nil {
		return err
	}
	if m.Sequence > w.start {
		select {
		case w.in <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.metrics.lag(m, s.cfg.Now())
	if m.Sequence >= caughtUp && m.Pending < readyPending {
		s.setState(m.Stream, "")
	}
	return nil
}

// readyPending is how many messages behind the end of the log still counts as caught up.
const readyPending = 1000

// believable holds a message back whose timestamp is far ahead of the owner's clock: one wrong clock
// must not age every account. It waits, in alarm, until the clock agrees.
func (s *Service) believable(ctx context.Context, m *eventlog.Message) error {
	for {
		ahead := time.UnixMicro(m.Time).Sub(s.cfg.Now()) - clockTolerance
		if ahead <= 0 {
			return nil
		}
		why := fmt.Sprintf("message %d is %s ahead of this clock", m.Sequence, ahead+clockTolerance)
		s.setState(m.Stream, why)
		s.metrics.alarm(ctx, "clock_ahead")
		s.deps.Logger.ErrorContext(ctx, "partition stopped: a message is ahead of the clock", "stream", m.Stream, "partition", m.Partition, "sequence", m.Sequence, "ahead", ahead+clockTolerance)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(ahead, time.Second)):
		}
	}
}

// condemned remembers, over restarts of a stream, the records whose folding failed inside. Only the
// goroutine that owns the stream uses it.
type condemned []poisonError

func (c condemned) tell(p *fold.Partition, number int) {
	for _, e := range c {
		if e.partition == number {
			p.Condemn(e.sequence, e.index, e.why)
		}
	}
}

// poisonError says that folding a record failed inside. The record is refused on the next try.
type poisonError struct {
	partition int
	sequence  uint64
	index     int
	why       string
}

func (e *poisonError) Error() string {
	return fmt.Sprintf("folding record %d of message %d in partition %d: %s", e.index, e.sequence, e.partition, e.why)
}
