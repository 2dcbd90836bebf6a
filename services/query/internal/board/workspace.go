package board

import (
	"slices"
	"sort"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

const (
	// keepFor is how long an alert is kept that was resolved.
	keepFor = 90 * 24 * time.Hour
	// keepMost is how many of them a workspace has at most.
	keepMost = 20_000
)

// workspace is what is known of one.
type workspace struct {
	// newest is the newest record of each alert.
	newest map[string]Entry
	// resolved are the ids of those that are over, as they ended; now is the time of the newest record.
	resolved []string
	now      time.Time
	// recent are the newest transitions, in order; those up to the sequence forgot are not among them.
	recent []Entry
	forgot uint64
	// commands are those of recent that commands made.
	commands map[commandKey]*alertv1.Transition
}

// commandKey names a command: its id counts once for an alert.
type commandKey struct{ alert, command string }

func newWorkspace(forgot uint64) *workspace {
	return &workspace{
		newest: map[string]Entry{}, commands: map[commandKey]*alertv1.Transition{}, forgot: forgot,
	}
}

// set takes up the newest record of an alert.
func (w *workspace) set(e Entry) {
	a := e.transition().GetAlert()
	id := a.GetAlertId()

	old, known := w.newest[id]
	if known && old.Sequence >= e.Sequence {
		return
	}

	w.newest[id] = e

	if at := e.transition().GetAt().AsTime(); at.After(w.now) {
		w.now = at
	}

	if !open(a) && (!known || open(old.transition().GetAlert())) {
		w.resolved = append(w.resolved, id)
	}

	w.trim()
}

// trim forgets alerts that were resolved long ago.
func (w *workspace) trim() {
	gone := 0

	for _, id := range w.resolved {
		e := w.newest[id]
		ended := e.transition().GetAlert().GetResolveTime().AsTime()

		if len(w.resolved)-gone <= keepMost && w.now.Sub(ended) <= keepFor {
			break
		}

		delete(w.newest, id)

		gone++
	}

	if gone > 0 {
		w.resolved = slices.Delete(w.resolved, 0, gone)
	}
}

// remember keeps a transition, and forgets the oldest ones beyond the size: half of them at once, so that few are moved.
func (w *workspace) remember(e Entry, size int) {
	if len(w.recent) >= 2*size { //nolint:mnd // half of them go
		for i := range w.recent[:size] {
			t := w.recent[i].transition()
			delete(w.commands, commandKey{alert: t.GetAlert().GetAlertId(), command: t.GetCommandId()})
		}

		w.forgot = w.recent[size-1].Sequence
		w.recent = slices.Clone(w.recent[size:])
	}

	w.recent = append(w.recent, e)

	if t := e.transition(); t.GetCommandId() != "" {
		w.commands[commandKey{alert: t.GetAlert().GetAlertId(), command: t.GetCommandId()}] = t
	}
}

// after returns the transitions behind a sequence.
func (w *workspace) after(sequence uint64) []Entry {
	from := sort.Search(len(w.recent), func(i int) bool { return w.recent[i].Sequence > sequence })

	return slices.Clone(w.recent[from:])
}
