package column

import (
	"iter"
	"sync"
)

// Table holds the rows of one workspace. It is safe for concurrent use; the zero value is an empty table.
type Table struct {
	mu   sync.Mutex
	rows bag
	// log is the changes that some kept order has not taken up; first is the number of its first.
	log   []Change
	first uint64
	// kept are the sorted orders by their text, asked how often others were asked for.
	kept  map[string]*kept
	asked map[string]int
	clock uint64
	heard func([]Change)
}

// Change is what became of an account: Old is nil if it is new, New if it is gone.
type Change struct{ Old, New *Row }

// Hear lets f hear of every change from now on, in order. It is called while the table is locked, so it must be quick
// and must not use the table.
func (t *Table) Hear(f func([]Change)) {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.heard = f
}

// tell tells of changes.
func (t *Table) tell(changes []Change) {
	if len(changes) == 0 {
		return
	}

	if t.heard != nil {
		t.heard(changes)
	}

	if len(t.kept) > 0 {
		t.note(changes)
	}
}

// Put adds rows, each in the place of the one its account had.
func (t *Table) Put(rows ...*Row) {
	t.mu.Lock()
	defer t.mu.Unlock()

	changes := make([]Change, 0, len(rows))

	for _, r := range rows {
		changes = append(changes, Change{Old: t.rows.get(r.Account), New: r})
		t.rows.put(r)
	}

	t.tell(changes)
}

// Retain drops the rows of a partition that keep does not want.
func (t *Table) Retain(partition int, keep func(account string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	var changes []Change

	for _, c := range t.rows.chunks {
		for _, r := range c.live() {
			if r.Partition == partition && !keep(r.Account) {
				changes = append(changes, Change{Old: r})
			}
		}
	}

	for _, c := range changes {
		t.rows.remove(c.Old.Account)
	}

	t.tell(changes)
}

// Len returns how many accounts the table has.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.rows.len()
}

// Get returns an account's row; nil: it has none.
func (t *Table) Get(account string) *Row {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.rows.get(account)
}

// All returns the rows as they are now, in no order. The table is locked only for a moment.
func (t *Table) All() iter.Seq[*Row] {
	all := t.snapshot()

	return rowsIn(all)
}

// rowsIn are the rows of a snapshot.
func rowsIn(all []*slots) iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, c := range all {
			for _, r := range c.live() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// snapshot returns the rows as they are now.
func (t *Table) snapshot() []*slots {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.rows.snapshot()
}
