package task

import (
	"time"
)

// Kind of work.
type Kind string

// The kinds.
const (
	// Rebuild folds a stream's log again, into a draft that then takes the place of what is live.
	Rebuild Kind = "rebuild"
	// Snapshot writes a checkpoint of every partition of a stream.
	Snapshot Kind = "snapshot"
	// Restore puts checkpoints in place of what is live, and reads the log on from there.
	Restore Kind = "restore"
)

// State of a task.
type State string

// The states. A task ends in Done, Failed or Aborted.
const (
	Asked    State = "asked"
	Running  State = "running"
	Aborting State = "aborting"
	Done     State = "done"
	Failed   State = "failed"
	Aborted  State = "aborted"
)

// Final reports whether nothing more happens to a task in this state.
func (s State) Final() bool { return s == Done || s == Failed || s == Aborted }

// Task is the part of a piece of work that concerns one stream.
type Task struct {
	// ID is the same for all streams of what was asked at once.
	ID string `json:"id"`
	// Kind and Stream name the task; there is one of each.
	Kind   Kind  `json:"kind"`
	Stream int   `json:"stream"`
	State  State `json:"state"`
	// Why it failed; empty else.
	Why string `json:"why,omitempty"`
	// Partition that a restore or a snapshot is for; -1: all of the stream.
	Partition int `json:"partition"`
	// Cursor of the snapshot that a restore wants; 0: the newest.
	Cursor uint64 `json:"cursor,omitempty"`
	// Asked is when it was asked for, Begun when an owner began, Updated when an owner last wrote of it.
	Asked   time.Time `json:"asked"`
	Begun   time.Time `json:"begun,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
	// Owner that works on it, or did.
	Owner string `json:"owner,omitempty"`
	// From, At and To are log sequences: where it began, where it is, where the log ends; Events counts the events between.
	From   uint64 `json:"from,omitempty"`
	At     uint64 `json:"at,omitempty"`
	To     uint64 `json:"to,omitempty"`
	Events uint64 `json:"events,omitempty"`
	// Results are what was made of each partition.
	Results []Result `json:"results,omitempty"`

	// revision of the entry it was read from.
	revision uint64
}

// Result is what became of one partition.
type Result struct {
	Partition int `json:"partition"`
	// Cursor of the snapshot that was written or restored, its size in bytes.
	Cursor uint64 `json:"cursor"`
	Bytes  int64  `json:"bytes,omitempty"`
	// Name of the snapshot.
	Name string `json:"name,omitempty"`
}

// Left estimates how long the task will still take; false: it cannot be said yet.
func (t *Task) Left() (time.Duration, bool) {
	done, spent := t.At-t.From, t.Updated.Sub(t.Begun)
	if t.At <= t.From || spent <= 0 || t.To < t.At {
		return 0, false
	}
	return time.Duration(float64(spent) / float64(done) * float64(t.To-t.At)), true
}
