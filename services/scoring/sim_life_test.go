package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/store"
)

// simLife is what keepStream, runStream and owner.run are in a running service, for one stream of one process: the same
// calls in the same order, each a step.
type simLife struct {
	process   *simProcess
	stream    int
	task      *simTask
	condemned condemned

	giveUp  context.CancelCauseFunc // of the try under way; nil: there is none
	ctx     context.Context         //nolint:containedctx // of the threads of the try
	cancel  context.CancelFunc
	failure error
	owner   *owner
	workers []*simWorker
	next    uint64 // the sequence that the reader is at
	ticked  map[int]time.Time
}

func (l *simLife) run(t *simTask) {
	p := l.process
	pause := retryFirst
	for {
		if !t.until(func() bool { return p.leaving || l.wanted() }) || p.leaving {
			return
		}
		err := l.own(t)
		if p.dead || p.leaving {
			return
		}
		if errors.Is(err, errUnwanted) {
			p.sim.sayf("%s gives stream %d up in order", p.group.name, l.stream)
			continue
		}
		wait := pause
		if held := (*store.HeldError)(nil); errors.As(err, &held) {
			wait = min(held.Lease.TTL+time.Millisecond, heldPause)
		} else {
			pause = min(2*pause, retryLast)
			l.blame(err)
		}
		until := p.sim.now.Add(wait)
		t.until(func() bool { return p.leaving || !p.sim.now.Before(until) })
	}
}

// blame tells of a try that failed. Log and store always fit here, so no alarm may be raised, and nothing fails inside.
func (l *simLife) blame(err error) {
	s := l.process.sim
	s.sayf("%s starts stream %d over: %v", l.process.group.name, l.stream, err)
	s.count("restarts")
	if alarm := (*AlarmError)(nil); errors.As(err, &alarm) {
		s.violatedf("stream %d: an alarm without a cause: %v", l.stream, err)
	}
	if poison := (*poisonError)(nil); errors.As(err, &poison) {
		s.violatedf("stream %d: %v", l.stream, err)
	}
	if !errors.Is(err, store.ErrFenced) && !errors.Is(err, store.ErrUnknown) &&
		!store.HasReason(err, store.ReasonUnreachable) {
		s.violatedf("stream %d starts over for no reason that it may have: %v", l.stream, err)
	}
}

func (l *simLife) wanted() bool {
	wanted, _ := l.process.service.desires.get(l.stream)
	return wanted
}

// own is runStream.
func (l *simLife) own(t *simTask) error {
	s := l.process.service
	ctx, giveUp := context.WithCancelCause(l.process.ctx)
	l.giveUp = giveUp
	defer func() { giveUp(nil); l.giveUp, l.owner, l.workers = nil, nil, nil }()
	heads, err := s.claim(ctx, l.stream)
	if err != nil {
		return s.ended(ctx, l.stream, heads, err)
	}
	err = l.score(ctx, t, heads)
	if poison := (*poisonError)(nil); errors.As(err, &poison) {
		l.condemned = append(l.condemned, *poison)
	}
	return s.ended(ctx, l.stream, heads, err)
}

// score is owner.run.
func (l *simLife) score(ctx context.Context, t *simTask, heads map[int]store.Head) error {
	s := l.process.service
	o := &owner{service: s, stream: l.stream, giveUp: l.giveUp}
	if err := o.open(ctx, heads, l.condemned); err != nil {
		return err
	}
	s.open.Add(int64(len(o.workers)))
	defer s.open.Add(-int64(len(o.workers)))
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.owner, l.failure, l.next, l.ticked = o, nil, o.from, map[int]time.Time{}
	for _, p := range s.partitions(l.stream) {
		w := &simWorker{worker: o.workers[p], life: l}
		l.workers = append(l.workers, w)
		w.task = l.process.task(fmt.Sprintf("worker %d", p), w.thread)
		w.task.worker = w
		w.careful = true // it may be given a barrier at once
	}
	l.process.sim.sayf("%s owns stream %d, reads from %d", l.process.group.name, l.stream, l.next)
	if o.end < o.from {
		l.fail(o.caughtUp(l.ctx))
	}
	t.until(func() bool { return l.ctx.Err() != nil })
	l.cancel()
	t.until(func() bool {
		for _, w := range l.workers {
			if !w.task.over {
				return false
			}
		}
		return true
	})
	if l.process.dead {
		return errDead
	}
	if l.failure == nil {
		return l.ctx.Err()
	}
	return l.failure
}

// fail ends a try, as an errgroup does.
func (l *simLife) fail(err error) {
	if err == nil || l.ctx == nil {
		return
	}
	if l.failure == nil {
		l.failure = err
	}
	l.cancel()
}

// scores reports whether the stream is claimed and opened.
func (l *simLife) scores() bool { return l.owner != nil && l.ctx != nil && l.ctx.Err() == nil }

// read hands the next messages of the log out, each once and in order, from where the try began.
func (l *simLife) read(most int) bool {
	if !l.scores() {
		return false
	}
	did := false
	for range most {
		m := l.process.sim.log.at(l.stream, l.next)
		if m == nil || !l.room() || l.process.sim.log.hidden(l.process, l.stream, l.next) {
			break
		}
		did = true
		l.fail(l.hand(m))
		l.next++
	}
	return did
}

func (l *simLife) hand(m *eventlog.Message) error {
	if w := l.worker(m.Partition); w != nil && settles(m) {
		w.careful = true
	}
	sent := *m
	sent.Pending = l.process.sim.log.last(l.stream) - m.Sequence
	if sent.Pending == 0 || m.Sequence >= l.owner.end {
		for _, w := range l.workers { // a barrier may come
			w.careful = true
		}
	}
	return l.owner.dispatch(l.ctx, &sent)
}

// room reports whether every worker can be given more at once.
func (l *simLife) room() bool {
	for _, w := range l.workers {
		if len(w.in) > queued-2 {
			return false
		}
	}
	return true
}

func (l *simLife) worker(partition int) *simWorker {
	for _, w := range l.workers {
		if w.number == partition {
			return w
		}
	}
	return nil
}

// tick writes the ticks that are due, as Service.tick does.
func (l *simLife) tick() bool {
	if !l.scores() {
		return false
	}
	s := l.process.service
	now := s.cfg.Now()
	var items []eventlog.Item
	for _, w := range l.workers {
		if !w.tickDue(now) || now.Sub(l.ticked[w.number]) < tickPatience {
			continue
		}
		l.ticked[w.number] = now
		items = append(items, eventlog.Item{Partition: w.number, Record: tickRecord()})
	}
	if len(items) == 0 {
		return false
	}
	_, _ = s.deps.Writer.Write(l.ctx, items) // the next one is due soon
	return true
}
