package scoring

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
)

const (
	// nearEnd is how many messages a shadow may be behind, handed out or not, before the live workers wait for it.
	nearEnd = 16
	// shadowLook is how often it is looked at where a shadow is.
	shadowLook = 10 * time.Millisecond
)

// shadow folds the log of a stream again, into drafts, beside the owner that scores it.
type shadow struct {
	owner   *owner
	workers map[int]*worker
	from    uint64
	// at is the sequence up to which messages were handed out, events how many records they held, pending how many
	// messages were behind the last one when it was sent.
	at, events, pending atomic.Uint64
	// stop ends the reading, and read is closed when it has ended.
	stop context.CancelFunc
	read chan struct{}
	// before is how many events former owners have handed out.
	before uint64
}

// rebuildTask folds the stream's log again and puts the outcome in place of what is live. A draft that a former owner
// began is gone on with.
func (o *owner) rebuildTask(ctx context.Context, t *task.Task) error {
	var condemned condemned
	if err := o.tell(ctx, t); err != nil { // before anything is made that an abort must remove
		return err
	}
	for {
		err := o.rebuild(ctx, t, condemned)
		if poison := (*poisonError)(nil); errors.As(err, &poison) && ctx.Err() == nil {
			condemned = append(condemned, *poison)
			continue
		}
		return err
	}
}

func (o *owner) rebuild(ctx context.Context, t *task.Task, condemned condemned) error {
	sh, err := o.openShadow(ctx, t, condemned)
	if err != nil {
		return err
	}
	if len(sh.workers) == 0 { // a former owner published all of them, and no more
		t.State = task.Done
		return o.tell(ctx, t)
	}
	o.service.open.Add(int64(len(sh.workers)))
	defer o.service.open.Add(-int64(len(sh.workers)))
	group, groupCtx := errgroup.WithContext(ctx)
	for _, w := range sh.workers {
		group.Go(func() error { return w.run(groupCtx) })
	}
	reading, stop := context.WithCancel(groupCtx)
	defer stop()
	sh.stop = stop
	group.Go(func() error {
		defer close(sh.read)
		return sh.follow(reading)
	})
	group.Go(func() error { return sh.lead(groupCtx, t) })
	return group.Wait() //nolint:wrapcheck // its functions have wrapped
}

// openShadow makes the drafts that are missing, and a worker for each partition that is not published yet.
func (o *owner) openShadow(ctx context.Context, t *task.Task, condemned condemned) (*shadow, error) {
	s := o.service
	info, err := s.deps.Log.Info(ctx, o.stream)
	if err != nil {
		return nil, fmt.Errorf("asking for stream %d: %w", o.stream, err)
	}
	published := map[int]bool{}
	for _, r := range t.Results {
		published[r.Partition] = true
	}
	sh := &shadow{owner: o, workers: map[int]*worker{}, before: t.Events, read: make(chan struct{})}
	for p, live := range o.workers {
		if published[p] {
			continue
		}
		g := &guard{service: s, stream: o.stream, partition: p, info: info}
		head, err := g.draft(ctx, live.epoch)
		if err != nil {
			return nil, fmt.Errorf("beginning the draft of partition %d: %w", p, err)
		}
		w, err := s.openDraft(ctx, o.stream, p, head, g.identity(), condemned)
		if err != nil {
			return nil, err
		}
		if len(sh.workers) == 0 || w.start+1 < sh.from {
			sh.from = w.start + 1
		}
		sh.workers[p] = w
	}
	sh.at.Store(max(sh.from, 1) - 1)
	sh.pending.Store(info.Last - min(info.Last, sh.at.Load()))
	if t.From == 0 || t.From > sh.at.Load() {
		t.From = sh.at.Load()
	}
	return sh, nil
}

// draft returns the draft to fold into: the one that is there, if it was folded by these rules from this log; else a
// new one, from the start of the log, or from the oldest snapshot where the log does not reach back.
func (g *guard) draft(ctx context.Context, epoch uint64) (store.Head, error) {
	s := g.service
	if head, _, err := s.deps.Store.ReadDraft(ctx, g.partition); err == nil && head.Epoch == epoch && head.Cursor > 0 {
		state, err := fold.DecodeState(head.State)
		if err == nil && state.Rules == fold.Rules && state.Stream == g.identity() && head.Cursor+1 >= g.info.First {
			return head, nil
		}
	}
	head, err := s.deps.Store.BeginDraft(ctx, g.partition, epoch)
	if err != nil || g.info.First <= 1 {
		return head, err
	}
	if s.deps.Archive == nil {
		return head, alarmf(codeLogTrimmed, "stream %d begins at %d, and there are no snapshots", g.stream, g.info.First)
	}
	var failed error
	oldest, _, err := s.deps.Archive.OldestGood(ctx, g.partition, func(m snapshot.Meta) bool {
		fits, err := g.fits(ctx, &m)
		failed = errors.Join(failed, err)
		return fits
	})
	if err := errors.Join(err, failed); err != nil {
		return head, fmt.Errorf("looking for the oldest snapshot, since stream %d begins at %d: %w", g.stream, g.info.First, err)
	}
	return s.fill(ctx, g.partition, head, oldest)
}

// openDraft makes the worker that folds into a draft.
func (s *Service) openDraft(
	ctx context.Context, stream, number int, head store.Head, identity string, condemned condemned,
) (*worker, error) {
	w, err := s.newWorker(stream, number, head, identity, condemned, true)
	if err != nil {
		return nil, err
	}
	return w, w.loadPartition(ctx)
}

// follow reads the stream again and hands its messages to the shadow's workers, until ctx ends.
func (sh *shadow) follow(ctx context.Context) error {
	o := sh.owner
	err := o.service.deps.Log.Read(ctx, o.stream, sh.from, func(m *eventlog.Message) error {
		if w := sh.workers[m.Partition]; w != nil && m.Sequence > w.start {
			if err := w.give(ctx, order{message: m}); err != nil {
				return err
			}
		}
		sh.events.Add(uint64(len(m.Records)))
		sh.pending.Store(m.Pending)
		sh.at.Store(m.Sequence)
		return nil
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // whoever stopped it knows why
	}
	return fmt.Errorf("reading stream %d again: %w", o.stream, err)
}

// near reports whether hardly anything is left to be folded.
func (sh *shadow) near() bool {
	left := sh.pending.Load()
	for _, w := range sh.workers {
		left += uint64(len(w.in))
	}
	return left <= nearEnd
}

// lead watches the shadow until it is near the end of the log, then puts it in place. It never returns nil: the shadow
// ends with it.
func (sh *shadow) lead(ctx context.Context, t *task.Task) error {
	o := sh.owner
	told := time.Time{}
	return every(ctx, shadowLook, func() error {
		if o.service.tasks.aborted(t) {
			return errAborted
		}
		sh.progress(t)
		if time.Since(told) >= progressEvery {
			info, err := o.service.deps.Log.Info(ctx, o.stream)
			if err != nil {
				return fmt.Errorf("asking for the end of stream %d: %w", o.stream, err)
			}
			t.To = info.Last
			if err := o.tell(ctx, t); err != nil {
				return err
			}
			told = time.Now()
		}
		if sh.near() {
			return sh.replace(ctx, t)
		}
		return nil
	})
}

// progress writes into the task how far the shadow is.
func (sh *shadow) progress(t *task.Task) {
	t.At, t.Events = max(t.From, sh.at.Load()), sh.before+sh.events.Load()
}

// replace makes the live workers stand still, lets the shadow reach them, and puts its drafts in place.
func (sh *shadow) replace(ctx context.Context, t *task.Task) error {
	o := sh.owner
	return o.paused(ctx, func(ctx context.Context) (renewed bool, err error) {
		if err := sh.reach(ctx); err != nil {
			return false, err
		}
		if err := o.tell(ctx, t); err != nil { // an abort that was acknowledged but not heard of yet
			return false, err
		}
		for p, w := range sh.workers {
			draft := store.Head{Epoch: w.epoch, Generation: w.generation}
			head, err := o.service.publish(ctx, p, draft)
			if err != nil {
				return renewed, err
			}
			renewed = true
			sh.count(ctx, o.workers[p], head)
			t.Results = append(t.Results, task.Result{Partition: p, Cursor: w.storedCursor.Load()})
		}
		sh.progress(t)
		t.To, t.State = max(t.To, t.At), task.Done
		return true, o.tell(ctx, t)
	})
}

// count tells of the events that only the draft has counted: those that came while the live worker stood still.
func (sh *shadow) count(ctx context.Context, live *worker, published store.Head) {
	after, err := fold.DecodeState(published.State)
	if err != nil || after.Counted < live.partition.Counted || after.Duplicates < live.partition.Duplicates ||
		after.Rejected < live.partition.Rejected {
		return // other rules count otherwise
	}
	sh.owner.service.metrics.folded(ctx, &live.partition.State, &after)
}

// reach waits until every draft is as far as the live state, and committed, and nothing more is folded into it.
func (sh *shadow) reach(ctx context.Context) error {
	target := uint64(0)
	for _, live := range sh.owner.workers {
		target = max(target, live.storedCursor.Load())
	}
	ticker := time.NewTicker(shadowLook)
	defer ticker.Stop()
	for sh.at.Load() < target {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	sh.stop() // what is published must not be written to any more
	<-sh.read
	reached := make(chan struct{})
	if err := barrier(ctx, sh.workers, func() { close(reached) }); err != nil {
		return err
	}
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
