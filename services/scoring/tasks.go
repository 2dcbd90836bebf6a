package scoring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hale.dev/services/internal/task"
)

const (
	// scheduleLook is how often an owner looks whether snapshots are due.
	scheduleLook = 10 * time.Second
	// progressEvery is how often the progress of a task is written down.
	progressEvery = time.Second
	watchPause    = time.Second
)

// tasks are what the board holds, as far as it was heard.
type tasks struct {
	mu      sync.Mutex
	latest  map[taskKey]task.Task
	changed chan struct{} // closed when something changes
}

type taskKey struct {
	kind   task.Kind
	stream int
}

func newTasks() *tasks { return &tasks{latest: map[taskKey]task.Task{}, changed: make(chan struct{})} }

func (t *tasks) put(one task.Task) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest[taskKey{one.Kind, one.Stream}] = one
	close(t.changed)
	t.changed = make(chan struct{})
}

// next returns what is to be done for a stream, what changes the state first.
func (t *tasks) next(stream int) (one task.Task, ok bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, kind := range []task.Kind{task.Restore, task.Snapshot, task.Rebuild} {
		if one, ok = t.latest[taskKey{kind, stream}]; ok && !one.State.Final() {
			return one, true, t.changed
		}
	}
	return task.Task{}, false, t.changed
}

// aborted reports whether a task is to be given up.
func (t *tasks) aborted(one *task.Task) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.latest[taskKey{one.Kind, one.Stream}]
	return now.ID != one.ID || now.State == task.Aborting || now.State.Final()
}

// followTasks hears of tasks until ctx ends.
func (s *Service) followTasks(ctx context.Context) error {
	for {
		err := s.deps.Tasks.Watch(ctx, func(t task.Task) error { s.tasks.put(t); return nil })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.deps.Logger.WarnContext(ctx, "watching for tasks again soon", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchPause):
		}
	}
}

// work does what operators asked of this stream, and makes snapshots when they are due.
func (o *owner) work(ctx context.Context) error {
	s := o.service
	var due time.Time
	if s.deps.Archive != nil {
		due = o.nextSnapshot(ctx)
	}
	ticker := time.NewTicker(s.cfg.scheduleLook)
	defer ticker.Stop()
	for {
		one, ok, changed := s.tasks.next(o.stream)
		if ok {
			err := o.do(ctx, &one)
			if err == nil {
				continue
			}
			if errors.Is(err, errRenewed) || ctx.Err() != nil {
				return err
			}
			// The board cannot be written now. That is no reason to give the stream up.
			s.deps.Logger.WarnContext(ctx, "a task waits", "kind", one.Kind, "stream", o.stream, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-ticker.C:
		}
		if !due.IsZero() && time.Now().After(due) {
			o.snapshots(ctx)
			due = time.Now().Add(s.cfg.SnapshotEvery)
		}
	}
}

// do brings a task to its end, or to the end of ctx. An error ends the try of owning the stream.
func (o *owner) do(ctx context.Context, t *task.Task) error {
	t.Owner = o.service.lease.Owner
	var err error
	if t.State == task.Asked {
		// What is not begun on the board ends at once when it is aborted: nothing may be made before this is written.
		t.State, t.Begun = task.Running, time.Now().UTC()
		err = o.tell(ctx, t)
	}
	switch {
	case err != nil:
	case t.State == task.Aborting:
		err = o.abort(ctx, t)
	case t.Kind == task.Snapshot:
		err = o.snapshotTask(ctx, t)
	case t.Kind == task.Restore:
		err = o.restoreTask(ctx, t)
	case t.Kind == task.Rebuild:
		err = o.rebuildTask(ctx, t)
	default:
		err = fmt.Errorf("%w: %s", errKind, t.Kind)
	}
	if err == nil || errors.Is(err, errRenewed) || ctx.Err() != nil {
		return err
	}
	if errors.Is(err, task.ErrChanged) || errors.Is(err, errAborted) {
		return o.abort(ctx, t)
	}
	o.service.deps.Logger.ErrorContext(ctx, "a task failed", "kind", t.Kind, "stream", o.stream, "error", err)
	t.State, t.Why = task.Failed, err.Error()
	return o.tell(ctx, t)
}

var (
	errKind    = errors.New("this version of Hale does not know this kind of task")
	errAborted = errors.New("the task is aborted")
	errNoVault = errors.New("snapshots are off: scoring was started with --snapshots off")
)

// tell writes a task down; if somebody else wrote it since it is read again, and heard of.
func (o *owner) tell(ctx context.Context, t *task.Task) error {
	s := o.service
	err := s.deps.Tasks.Update(ctx, t)
	if err == nil {
		s.tasks.put(*t)
		return nil
	}
	now, getErr := s.deps.Tasks.Get(ctx, t.Kind, t.Stream)
	if getErr == nil {
		s.tasks.put(now)
	}
	return errors.Join(err, getErr)
}

// abort gives a task up, with all that it made.
func (o *owner) abort(ctx context.Context, t *task.Task) error {
	s := o.service
	now, err := s.deps.Tasks.Get(ctx, t.Kind, t.Stream)
	if err != nil {
		return fmt.Errorf("reading the task to abort: %w", err)
	}
	s.tasks.put(now)
	if now.State == task.Asked || now.State == task.Running {
		return nil // it was written by somebody else for another reason
	}
	if now.Kind == task.Rebuild {
		for p, w := range o.workers {
			if err := s.deps.Store.DropDraft(ctx, p, w.epoch); err != nil {
				return fmt.Errorf("dropping the draft of partition %d: %w", p, err)
			}
		}
	}
	if now.State.Final() { // before anybody was heard to have begun
		return nil
	}
	now.State = task.Aborted
	return o.tell(ctx, &now)
}

// chosen are the partitions of the stream that a task is for.
func (o *owner) chosen(t *task.Task) []int {
	all := o.service.partitions(o.stream)
	if t.Partition < 0 {
		return all
	}
	for _, p := range all {
		if p == t.Partition {
			return []int{p}
		}
	}
	return nil
}

// snapshotTask writes the snapshots that were asked for.
func (o *owner) snapshotTask(ctx context.Context, t *task.Task) error {
	if o.service.deps.Archive == nil {
		return errNoVault
	}
	chosen := o.chosen(t)
	t.Results, t.From, t.At, t.To = nil, 0, 0, uint64(len(chosen))
	for _, p := range chosen {
		if o.service.tasks.aborted(t) {
			return errAborted
		}
		if err := o.tell(ctx, t); err != nil {
			return err
		}
		made, err := o.snapshot(ctx, p)
		if err != nil {
			return err
		}
		t.At++
		t.Results = append(t.Results, task.Result{Partition: p, Cursor: made.Cursor, Bytes: made.Size, Name: made.Name})
	}
	t.State = task.Done
	return o.tell(ctx, t)
}
