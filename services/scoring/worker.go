package scoring

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

const (
	// queued is how many messages wait for a worker before the reader is held back.
	queued = 256
	// batch is how many of them are loaded for in one read of the store.
	batch = 64
	// slice is how many accounts one step of a sweep brings up to date.
	slice = 512
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
	in        chan task

	committing bool
	done       chan error
	sent       uint64 // cursor of the last commit begun
	flush      uint64 // number of the last commit begun
	stored     uint64 // number of the last commit that is in the store
	oldest     time.Time
	lastCommit time.Time
	traces     []traced
	pressed    bool // told ingest to take no more

	// logTime and due are read by the ticker: log time, and the time at which a tick is due, in microseconds.
	logTime, due atomic.Int64
}

// task is what a worker is given: a message, or something to call when all messages before it are committed.
type task struct {
	message   *eventlog.Message
	committed func()
}

// give queues a task.
func (w *worker) give(ctx context.Context, t task) error {
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
	if w.partition.Sweeping() {
		w.trim()
		if err := w.sweepSlice(ctx); err != nil {
			return err
		}
		w.commit(ctx)
		return nil
	}
	if !w.partition.Pending() {
		return nil
	}
	if wait := w.pause(); wait > 0 {
		timer.Reset(wait)
		return nil
	}
	w.commit(ctx)
	return nil
}

// pause returns how long the pending changes should still gather. Commits cost per call, so under load they
// keep a distance; a message after a quiet spell is committed at once.
func (w *worker) pause() time.Duration {
	if w.partition.Dirty() >= maxDirty {
		return 0
	}
	distance := w.service.cfg.CommitDelay / 10
	if since := time.Since(w.lastCommit); since < distance {
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
func (w *worker) takeIn(ctx context.Context, first task) error {
	if first.message == nil {
		return w.barrier(ctx, first)
	}
	messages := append(make([]*eventlog.Message, 0, batch), first.message)
	var last task
	for len(messages) < batch && last.committed == nil {
		select {
		case last = <-w.in:
			if last.message != nil {
				messages = append(messages, last.message)
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
	w.service.press(ctx, w)
	if last.committed != nil {
		return w.barrier(ctx, last)
	}
	return nil
}

// barrier tells that everything before is in the store.
func (w *worker) barrier(ctx context.Context, t task) error {
	if err := w.drain(ctx); err != nil {
		return err
	}
	t.committed()
	return nil
}

// trim lets accounts leave memory. Between messages only, before anything is loaded for the next ones: the fold
// takes an account that is not in memory for one that does not exist.
func (w *worker) trim() { w.accounts.trim(w.stored, w.partition.Touched) }

// read returns stored values, those of the state that this worker goes on from: else ErrFenced.
func (w *worker) read(ctx context.Context, keys ...string) ([][]byte, error) {
	head, values, err := w.service.deps.Store.Read(ctx, w.number, keys...)
	if err != nil {
		return nil, err
	}
	if head.Epoch != w.epoch || head.Generation != w.generation || head.Cursor < w.cursor {
		return nil, store.ErrFenced
	}
	return values, nil
}

// load brings the accounts that the messages touch into memory.
func (w *worker) load(ctx context.Context, messages []*eventlog.Message) error {
	w.trim()
	var missing []string
	hits := 0
	asked := map[string]struct{}{}
	for _, m := range messages {
		for _, id := range fold.Needs(message(m)) {
			if w.accounts.has(id) {
				hits++
				continue
			}
			if _, ok := asked[id]; !ok {
				asked[id] = struct{}{}
				missing = append(missing, id)
			}
		}
	}
	w.service.metrics.cache(ctx, hits, len(missing))
	return w.fetch(ctx, missing)
}

// fetch reads accounts from the store; those that do not exist yet stay absent.
func (w *worker) fetch(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = store.AccountKey(id)
	}
	values, err := w.read(ctx, keys...)
	if err != nil {
		return fmt.Errorf("reading %d accounts: %w", len(ids), err)
	}
	for i, id := range ids {
		if values[i] == nil {
			continue
		}
		a, err := w.decode(ctx, id, values[i])
		if err != nil {
			return err
		}
		w.accounts.Put(id, a)
	}
	return nil
}

func (w *worker) decode(ctx context.Context, id string, value []byte) (*health.Account, error) {
	parts, err := health.Parts(value)
	if err != nil {
		return nil, fmt.Errorf("reading account %q: %w", id, err)
	}
	byNumber := map[uint32][]byte{}
	if len(parts) > 0 {
		keys := make([]string, len(parts))
		for i, n := range parts {
			keys[i] = store.PartKey(id, n)
		}
		values, err := w.read(ctx, keys...)
		if err != nil {
			return nil, fmt.Errorf("reading %d parts of account %q: %w", len(parts), id, err)
		}
		for i, n := range parts {
			byNumber[n] = values[i]
		}
	}
	a, err := health.Decode(value, func(n uint32) []byte { return byNumber[n] })
	if err != nil {
		return nil, fmt.Errorf("reading account %q: %w", id, err)
	}
	return a, nil
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
		return alarmf("dedupe_full", "partition %d: %v", w.number, err)
	}
	if m.Err != nil {
		if err := w.service.rejectMessage(ctx, m); err != nil {
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
	w.service.metrics.folded(ctx, &before, &w.partition.State)
	return nil
}

// settle brings the sweep under way to its end, in the middle of a message: nothing is committed meanwhile.
func (w *worker) settle(ctx context.Context) error {
	if w.committing {
		if err := w.committed(<-w.done); err != nil {
			return err
		}
	}
	for w.partition.Sweeping() {
		if err := w.sweepSlice(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sweepSlice brings the next accounts of a sweep up to date. No commit may be under way.
func (w *worker) sweepSlice(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.service.deps.Logger.ErrorContext(ctx, "a sweep failed inside",
				"partition", w.number, "panic", r, "stack", string(debug.Stack()))
			err = &poisonError{partition: w.number, account: w.partition.SweepingAccount(), why: fmt.Sprint(r)}
		}
	}()
	values, err := w.read(ctx, store.AccountsKey(w.partition.SweepChunk()))
	if err != nil {
		return fmt.Errorf("reading account ids %d: %w", w.partition.SweepChunk(), err)
	}
	chunk, err := fold.DecodeChunk(values[0])
	if err != nil {
		return fmt.Errorf("reading account ids %d: %w", w.partition.SweepChunk(), err)
	}
	ids := w.partition.SweepNext(chunk, slice)
	var missing []string
	for _, id := range ids {
		if !w.accounts.has(id) {
			missing = append(missing, id)
		}
	}
	if err := w.fetch(ctx, missing); err != nil {
		return err
	}
	w.partition.Sweep(ids, w.accounts)
	return nil
}

func message(m *eventlog.Message) *fold.Message {
	return &fold.Message{Sequence: m.Sequence, Time: m.Time, Hash: m.Hash(), Records: m.Records}
}
