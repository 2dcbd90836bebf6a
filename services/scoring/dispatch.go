package scoring

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"hale.dev/services/internal/eventlog"
)

// dispatch hands a message to its partition's worker. A worker that is behind holds the reader back.
func (o *owner) dispatch(ctx context.Context, m *eventlog.Message) error {
	w := o.workers[m.Partition]
	if w == nil {
		return alarmf(codeForeignPartition,
			"message %d of stream %d is for partition %d, which is not in it", m.Sequence, o.stream, m.Partition)
	}
	if err := o.believable(ctx, m); err != nil {
		return err
	}
	if m.Sequence > w.start {
		if err := w.give(ctx, order{message: m}); err != nil {
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
	return barrier(ctx, o.workers, func() { o.service.setState(o.stream, "") })
}

// barrier calls f once every worker has committed what it has been given so far.
func barrier(ctx context.Context, workers map[int]*worker, f func()) error {
	var open atomic.Int64
	open.Store(int64(len(workers)))
	for _, w := range workers {
		err := w.give(ctx, order{committed: func() error {
			if open.Add(-1) == 0 {
				f()
			}
			return nil
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
		s.metrics.alarm(ctx, codeClockAhead)
		s.deps.Logger.ErrorContext(ctx, "partition stopped: a message is ahead of the clock",
			"stream", o.stream, "partition", m.Partition, "sequence", m.Sequence, "code", codeClockAhead, "ahead", ahead)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(ahead-clockTolerance, time.Second)):
		}
	}
}
