package board

import (
	"context"
	"sync"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
)

// Entry is a record of the ALERTS stream in its place.
type Entry struct {
	// Sequence is its place in the stream.
	Sequence uint64
	// Time is when it came there, in nanoseconds since 1970.
	Time   int64
	Record *logv1.AlertRecord
}

// Place is a place in the stream.
type Place = alertlog.Place

// transition is what happened.
func (e *Entry) transition() *alertv1.Transition { return e.Record.GetTransition() }

// Board holds the alerts of all workspaces. It is safe for concurrent use. What it hands out is shared, and not to be
// changed.
type Board struct {
	// size is how many transitions of a workspace are kept.
	size int

	mu         sync.RWMutex
	workspaces map[string]*workspace
	// begin is the sequence up to which the newest records of alerts are all that was told; last is the place up to which
	// all was told.
	begin uint64
	last  Place
	// wake is closed when last moves.
	wake chan struct{}
}

// New returns an empty board that keeps the newest transitions of each workspace, so many.
func New(transitions int) *Board {
	return &Board{size: transitions, workspaces: map[string]*workspace{}, wake: make(chan struct{})}
}

// Fill takes up the newest record of an alert, before Begin.
func (b *Board) Fill(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.workspace(e.Record.GetWorkspace()).set(e)
}

// Begin says up to which place the board was filled.
func (b *Board) Begin(last Place) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.begin = last.Sequence

	for _, w := range b.workspaces {
		w.forgot = last.Sequence
	}

	b.move(last)
}

// Put takes up the record that follows. One that is known already changes nothing.
func (b *Board) Put(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if e.Sequence <= b.last.Sequence {
		return
	}

	w := b.workspace(e.Record.GetWorkspace())
	w.set(e)
	w.remember(e, b.size)
	b.move(Place{Stream: b.last.Stream, Sequence: e.Sequence, Time: e.Time})
}

// move says that all up to a place was told. The lock is held.
func (b *Board) move(last Place) {
	b.last = last
	close(b.wake)
	b.wake = make(chan struct{})
}

// Reset forgets everything.
func (b *Board) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.workspaces, b.begin = map[string]*workspace{}, 0
	b.move(Place{})
}

// workspace returns the one of a name; it is made if there is none. The lock is held.
func (b *Board) workspace(name string) *workspace {
	w := b.workspaces[name]
	if w == nil {
		w = newWorkspace(b.begin)
		b.workspaces[name] = w
	}

	return w
}

// Last returns the place up to which all was told.
func (b *Board) Last() Place {
	b.mu.RLock()
	defer b.mu.RUnlock()

	return b.last
}

// Await returns when all up to a place was told, or with the cause that ended ctx.
func (b *Board) Await(ctx context.Context, p Place) error {
	return b.await(ctx, func() bool { return b.last.Stream == p.Stream && b.last.Sequence >= p.Sequence })
}

// AwaitCommand returns the transition that a command made of an alert, when it was told, or the cause that ended ctx.
func (b *Board) AwaitCommand(ctx context.Context, workspace, alert, command string) (*alertv1.Transition, error) {
	var found *alertv1.Transition

	err := b.await(ctx, func() bool {
		found = b.command(workspace, alert, command)

		return found != nil
	})

	return found, err
}

// Command returns the transition that a command made of an alert lately; nil: none that is remembered.
func (b *Board) Command(workspace, alert, command string) *alertv1.Transition {
	b.mu.RLock()
	defer b.mu.RUnlock()

	return b.command(workspace, alert, command)
}

// command is Command. The lock is held.
func (b *Board) command(workspace, alert, command string) *alertv1.Transition {
	w := b.workspaces[workspace]
	if w == nil {
		return nil
	}

	return w.commands[commandKey{alert: alert, command: command}]
}

// await returns when something holds, which is asked under the lock.
func (b *Board) await(ctx context.Context, holds func() bool) error {
	for {
		b.mu.RLock()
		done, wake := holds(), b.wake
		b.mu.RUnlock()

		if done {
			return nil
		}

		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Get returns an alert of a workspace and the partition that decides it; nil: it is not here.
func (b *Board) Get(workspace, id string) (a *alertv1.Alert, partition int) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	w := b.workspaces[workspace]
	if w == nil {
		return nil, 0
	}

	e, ok := w.newest[id]
	if !ok {
		return nil, 0
	}

	return e.transition().GetAlert(), int(e.Record.GetPartition())
}

// Snapshot returns the alerts of a workspace that a filter wants, in no order, and the place as of which that is.
func (b *Board) Snapshot(name string, f *Filter) (all []*alertv1.Alert, last Place) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	w := b.workspaces[name]
	if w == nil {
		return nil, b.last
	}

	all = make([]*alertv1.Alert, 0, len(w.newest))

	for _, e := range w.newest {
		if a := e.transition().GetAlert(); f.Match(a) {
			all = append(all, a)
		}
	}

	return all, b.last
}

// After returns the transitions of a workspace behind a place, the place up to which these are all, and a channel that is
// closed when there may be more. False: the board has forgotten some of them, or never knew them, or the place is of
// another stream.
func (b *Board) After(name string, p Place) (entries []Entry, last Place, wake <-chan struct{}, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	if p.Stream != b.last.Stream || p.Sequence > b.last.Sequence {
		return nil, b.last, b.wake, false
	}

	w := b.workspaces[name]
	if w == nil {
		return nil, b.last, b.wake, p.Sequence >= b.begin
	}

	if p.Sequence < w.forgot {
		return nil, b.last, b.wake, false
	}

	return w.after(p.Sequence), b.last, b.wake, true
}

// AwaitAlert returns the newest transition of an alert once it shows something, or when ctx ends.
func (b *Board) AwaitAlert(
	ctx context.Context, workspace, id string, shows func(*alertv1.Transition) bool,
) *alertv1.Transition {
	var found *alertv1.Transition

	_ = b.await(ctx, func() bool { // what there is then is the answer
		if w := b.workspaces[workspace]; w != nil {
			if e, ok := w.newest[id]; ok {
				found = e.transition()
			}
		}

		return found != nil && shows(found)
	})

	return found
}
