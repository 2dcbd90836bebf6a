package scoring

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

const (
	// queued is how many messages wait for a worker before the reader is held back.
	queued = 256
	// batch is how many of them are loaded for in one read of the store.
	batch = 64
	// loadedAtOnce is how many records are loaded for in one read of the store, but for a larger message.
	loadedAtOnce = 2048
	// sweepsAtOnce is how many partitions of a process sweep beside each other. All at once would keep the store from live
	// events for the length of a slice of each.
	sweepsAtOnce = 2
	sweepPause   = 5 * time.Millisecond
	// maxDirty is how many changed accounts one commit carries before folding waits for it.
	maxDirty = 2048
)

// worker scores one partition. Only its own goroutine touches its fields, but for those marked.
type worker struct {
	service *Service
	stream  int
	number  int
	start   uint64 // cursor at the claim
	// epoch and generation of the claim, and the cursor known to be stored: a head that does not fit says that
	// another owner took over, or that the store fell back.
	epoch, generation, cursor uint64

	partition *fold.Partition
	accounts  *cache
	// toldCached is what it said last of the bytes in accounts.
	toldCached int
	in         chan order

	committing bool
	done       chan error
	sent       uint64 // cursor of the last commit begun
	flush      uint64 // number of the last commit begun
	stored     uint64 // number of the last commit that is in the store
	oldest     time.Time
	lastCommit time.Time
	traces     []traced
	pressed    bool // told ingest to take no more
	sharing    bool // has one of the service's shares of sweeping
	// draft says that it folds the log again, beside a worker that does the live one.
	draft bool
	// written collects the keys that commits write, while somebody copies the partition; nil: nobody does.
	written map[string]struct{}

	// logTime and due are read by the ticker: log time, and the time at which a tick is due, in microseconds.
	logTime, due atomic.Int64
	// renewed is the service's uptime when the lease was last renewed; storedCursor is cursor, for others to read, as is
	// storedRevision, the revision known to be stored.
	renewed        atomic.Int64
	storedCursor   atomic.Uint64
	storedRevision atomic.Uint64
}

// order is what a worker is given: a message, or something to call when all messages before it are committed.
type order struct {
	message   *eventlog.Message
	committed func() error
}

// give queues an order.
func (w *worker) give(ctx context.Context, t order) error {
	select {
	case w.in <- t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run folds messages as they come and commits them: at once when idle, gathering while a commit is under
// way or the last one is not long past. It returns when ctx ends, with the commit under way finished.
func (w *worker) run(ctx context.Context) error {
	defer w.tellCached(0)
	defer w.giveBack()
	defer func() {
		if !w.committing {
			return
		}
		if err := <-w.done; err != nil {
			w.service.deps.Logger.WarnContext(ctx, "the last commit failed too", "partition", w.number, "error", err)
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := w.advance(ctx, timer); err != nil {
			return err
		}
		in := w.in
		if w.partition.Dirty() >= maxDirty {
			in = nil
		}
		select {
		case <-ctx.Done():
			return w.stop(ctx)
		case t := <-in:
			if err := w.takeIn(ctx, t); err != nil {
				return err
			}
		case err := <-w.done:
			if err := w.committed(err); err != nil {
				return err
			}
		case <-timer.C:
		}
	}
}

// advance starts what can be started: a slice of a sweep, a commit.
func (w *worker) advance(ctx context.Context, timer *time.Timer) error {
	if w.committing {
		return nil
	}
	if w.behind() && w.mayShare() {
		w.trim()
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		w.commit(ctx)
		return nil
	}
	wait := w.pause()
	switch {
	case w.partition.Pending() && wait <= 0:
		w.commit(ctx)
	case w.behind(): // as soon as another one has done its part
		timer.Reset(sweepPause)
	case w.partition.Pending():
		timer.Reset(wait)
	}
	return nil
}

// mayShare takes a share of the store for a slice of a sweep, if there is one left; committed gives it back.
func (w *worker) mayShare() bool {
	if w.sharing {
		return true
	}
	select {
	case w.service.sweeps <- struct{}{}:
		w.sharing = true
	default:
	}
	return w.sharing
}

func (w *worker) giveBack() {
	if w.sharing {
		<-w.service.sweeps
		w.sharing = false
	}
}

// pause returns how long the pending changes should still gather. Commits cost per call, so under load they
// keep a distance; a message after a quiet spell is committed at once.
func (w *worker) pause() time.Duration {
	if w.partition.Dirty() >= maxDirty {
		return 0
	}
	distance := w.service.cfg.CommitDelay / 10
	if since := w.service.cfg.steady().Sub(w.lastCommit); since < distance {
		return distance - since
	}
	return 0
}

// stop commits what is folded, when the service ends in order.
func (w *worker) stop(ctx context.Context) error {
	if err := w.drain(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return ctx.Err()
}

// drain commits all that is folded and waits for it.
func (w *worker) drain(ctx context.Context) error {
	if w.committing {
		if err := w.committed(<-w.done); err != nil {
			return err
		}
	}
	if !w.partition.Pending() {
		return nil
	}
	w.commit(ctx)
	return w.committed(<-w.done)
}

// takeIn folds a message and those that wait behind it.
func (w *worker) takeIn(ctx context.Context, first order) error {
	if first.message == nil {
		return w.barrier(ctx, first)
	}
	messages, records := append(make([]*eventlog.Message, 0, batch), first.message), len(first.message.Records)
	var last order
	for len(messages) < batch && records < loadedAtOnce && last.committed == nil {
		select {
		case last = <-w.in:
			if last.message != nil {
				messages, records = append(messages, last.message), records+len(last.message.Records)
			}
			continue
		default:
		}
		break
	}
	if err := w.load(ctx, messages); err != nil {
		return err
	}
	for _, m := range messages {
		if err := w.fold(ctx, m); err != nil {
			return err
		}
	}
	w.logTime.Store(w.partition.LogTime)
	w.due.Store(w.partition.NextTimer())
	if !w.draft {
		w.service.press(ctx, w)
	}
	if last.committed != nil {
		return w.barrier(ctx, last)
	}
	return nil
}

// barrier tells that everything before is in the store.
func (w *worker) barrier(ctx context.Context, t order) error {
	if err := w.drain(ctx); err != nil {
		return err
	}
	return t.committed()
}

// fold applies one message.
func (w *worker) fold(ctx context.Context, m *eventlog.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.service.deps.Logger.ErrorContext(ctx, "folding failed inside",
				"partition", w.number, "sequence", m.Sequence, "panic", r, "stack", string(debug.Stack()))
			err = &poisonError{partition: w.number, sequence: m.Sequence, index: w.partition.Index(), hash: m.Hash(), why: fmt.Sprint(r)}
		}
	}()
	if w.oldest.IsZero() {
		w.oldest = time.UnixMicro(m.Time)
	}
	w.traces = w.service.traceMessage(w.traces, m)
	msg := message(m)
	before := w.partition.State
	if err := w.partition.Begin(msg); err != nil {
		return alarmf(codeDedupeFull, "partition %d: %v", w.number, err)
	}
	if m.Err != nil {
		if err := w.rejectMessage(ctx, m); err != nil {
			return err
		}
		w.partition.Skip(msg)
		return nil
	}
	for next := w.partition.Apply(msg, 0, w.accounts); next < len(msg.Records); {
		if err := w.settle(ctx); err != nil {
			return err
		}
		next = w.partition.Apply(msg, next, w.accounts)
	}
	if !w.draft {
		w.service.metrics.folded(ctx, &before, &w.partition.State)
	}
	return nil
}

// settle brings the sweep under way to its end, in the middle of a message: nothing is committed meanwhile.
func (w *worker) settle(ctx context.Context) error {
	if w.committing {
		if err := w.committed(<-w.done); err != nil {
			return err
		}
	}
	for w.behind() {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

// behind reports whether accounts are to be brought up to date though nothing is said of them: in a sweep, or because
// their timers have rung.
func (w *worker) behind() bool { return w.partition.Sweeping() || w.partition.Waking() }

// catchUp brings the next of them up to date. No commit may be under way.
func (w *worker) catchUp(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.service.deps.Logger.ErrorContext(ctx, "a sweep failed inside",
				"partition", w.number, "panic", r, "stack", string(debug.Stack()))
			err = &poisonError{partition: w.number, account: w.partition.SweepingAccount(), why: fmt.Sprint(r)}
		}
	}()
	if w.partition.Waking() {
		return w.wakeSlice(ctx)
	}
	return w.sweepSlice(ctx)
}

// wakeSlice wakes the next accounts whose timers have rung.
func (w *worker) wakeSlice(ctx context.Context) error {
	ids := w.partition.WakeNext(w.service.cfg.slice)
	if err := w.fetchMissing(ctx, ids); err != nil {
		return err
	}
	w.partition.Wake(ids, w.accounts)
	return nil
}

// sweepSlice brings the next accounts of a sweep up to date.
func (w *worker) sweepSlice(ctx context.Context) error {
	values, err := w.read(ctx, store.AccountsKey(w.partition.SweepChunk()))
	if err != nil {
		return fmt.Errorf("reading account ids %d: %w", w.partition.SweepChunk(), err)
	}
	chunk, err := fold.DecodeChunk(values[0])
	if err != nil {
		return fmt.Errorf("reading account ids %d: %w", w.partition.SweepChunk(), err)
	}
	ids := w.partition.SweepNext(chunk, w.service.cfg.slice)
	if err := w.fetchMissing(ctx, ids); err != nil {
		return err
	}
	w.partition.Sweep(ids, w.accounts)
	return nil
}

// fetchMissing brings the accounts into memory that are not there.
func (w *worker) fetchMissing(ctx context.Context, ids []string) error {
	var missing []string
	for _, id := range ids {
		if !w.accounts.has(id) {
			missing = append(missing, id)
		}
	}
	return w.fetch(ctx, missing)
}

func message(m *eventlog.Message) *fold.Message {
	return &fold.Message{Sequence: m.Sequence, Time: m.Time, Hash: m.Hash(), Records: m.Records}
}
