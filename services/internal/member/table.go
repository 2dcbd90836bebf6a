package member

import (
	"cmp"
	"slices"
	"time"
)

// Beat is what a process tells of itself.
type Beat struct {
	// Name of the process, another one at each start.
	Name string `json:"name"`
	// Up is for how long the process has been heard by itself without a gap.
	Up time.Duration `json:"up"`
	// Leaving says that the process is about to end, and takes no more streams.
	Leaving bool `json:"leaving,omitempty"`
	// Rules is the version of the rules by which it folds; see fold.Rules.
	Rules uint64 `json:"rules"`
	// Version of the program, and the digest of the scorecards that it ships.
	Version    string `json:"version"`
	Scorecards string `json:"scorecards"`
}

// Times by which a member is judged.
const (
	// Interval between two beats of a process.
	Interval = 500 * time.Millisecond
	// silent is how long a process may not be heard before it counts as gone.
	silent = 5 * Interval
	// warm is how long a process listens before it believes that it knows who is there.
	warm = 2 * Interval
	// settled is how long a process must be up before streams move to it from those that were there long before: one
	// that comes and goes moves none.
	settled = 3 * time.Second
)

// Table is what one process has heard of all. It is not safe for concurrent use.
type Table struct {
	self  string
	heard map[string]heard
	since time.Time // since when this process hears itself without a gap
}

type heard struct {
	beat Beat
	at   time.Time
}

// NewTable returns the table of a process that has heard nothing.
func NewTable(self string) *Table { return &Table{self: self, heard: map[string]heard{}} }

// Hear takes a beat in.
func (t *Table) Hear(b Beat, now time.Time) {
	if b.Name == t.self && now.Sub(t.heard[t.self].at) > silent {
		t.since = now
	}
	t.heard[b.Name] = heard{b, now}
}

// Up is for how long this process has heard itself without a gap; 0: it does not now.
func (t *Table) Up(now time.Time) time.Duration {
	if last, ok := t.heard[t.self]; !ok || now.Sub(last.at) > silent {
		return 0
	}
	return now.Sub(t.since)
}

// Warm reports whether the table can be believed: what is not heard is not there.
func (t *Table) Warm(now time.Time) bool { return t.Up(now) >= warm }

// Live returns who is there, this process too, by name, each with its Up as of now. Those that were not heard for long are
// forgotten.
func (t *Table) Live(now time.Time) []Beat {
	live := make([]Beat, 0, len(t.heard))
	for name, h := range t.heard {
		switch {
		case now.Sub(h.at) <= silent:
			b := h.beat
			b.Up += min(now.Sub(h.at), Interval) // one that is silent is not getting older
			live = append(live, b)
		case name != t.self:
			delete(t.heard, name)
		}
	}
	slices.SortFunc(live, func(a, b Beat) int { return cmp.Compare(a.Name, b.Name) })
	return live
}
