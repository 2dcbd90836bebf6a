package column

import (
	"slices"
	"sort"
	"sync"
)

// Table holds the rows of one workspace. It is safe for concurrent use; the zero value is an empty table.
type Table struct {
	mu     sync.Mutex
	rows   map[string]*Row
	orders map[Order]*sorted
	heard  func([]Change)
	family family
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
	t.family.follow(changes)

	if t.heard != nil && len(changes) > 0 {
		t.heard(changes)
	}
}

// sorted is a table in one order.
type sorted struct {
	// rows are sorted; the slice never changes once it is here. Nil: to be sorted anew.
	rows []*Row
	// fresh came since, in no order; some may be gone already.
	fresh []*Row
	// stale is true if rows went since.
	stale bool
}

// Put adds rows, each in the place of the one its account had.
func (t *Table) Put(rows ...*Row) {
	t.mu.Lock()
	defer t.mu.Unlock()

	if t.rows == nil {
		t.rows, t.orders = make(map[string]*Row, len(rows)), map[Order]*sorted{}
	}

	changes := make([]Change, 0, len(rows))

	for _, r := range rows {
		old := t.rows[r.Account]
		if old != nil && old != r {
			old.gone = true
		}

		t.rows[r.Account] = r
		changes = append(changes, Change{Old: old, New: r})
	}

	t.tell(changes)

	for _, s := range t.orders {
		s.note(len(t.rows), rows)
	}
}

// note takes rows up, unless sorting everything anew will be cheaper than merging them.
func (s *sorted) note(all int, rows []*Row) {
	switch {
	case s.rows == nil || len(rows) == 0:
	case len(s.fresh)+len(rows) > all/2+1:
		s.rows, s.fresh, s.stale = nil, nil, false
	default:
		s.fresh, s.stale = append(s.fresh, rows...), true
	}
}

// Retain drops the rows of a partition that keep does not want.
func (t *Table) Retain(partition int, keep func(account string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	var changes []Change

	for account, r := range t.rows {
		if r.Partition == partition && !keep(account) {
			r.gone = true
			changes = append(changes, Change{Old: r})
			delete(t.rows, account)
		}
	}

	t.tell(changes)

	if len(changes) > 0 {
		for _, s := range t.orders {
			s.stale = true
		}
	}
}

// Len returns how many accounts the table has.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()

	return len(t.rows)
}

// Page returns at most limit rows in that order, from the start or behind a position, whether there are more, and how
// many rows the table has.
func (t *Table) Page(o Order, after *Position, limit int) (page []*Row, more bool, total int) {
	all := t.ordered(o)
	rest := all

	if after != nil {
		rest = all[sort.Search(len(all), func(i int) bool { return o.compare(all[i], &after.row) > 0 }):]
	}

	return rest[:min(limit, len(rest))], len(rest) > limit, len(all)
}

// ordered returns all rows in that order, as a slice that never changes.
func (t *Table) ordered(o Order) []*Row {
	t.mu.Lock()
	defer t.mu.Unlock()

	if len(t.rows) == 0 {
		return nil
	}

	s := t.orders[o]
	if s == nil {
		s = new(sorted)
		t.orders[o] = s
	}

	switch {
	case s.rows == nil:
		s.rows = make([]*Row, 0, len(t.rows))
		for _, r := range t.rows {
			s.rows = append(s.rows, r)
		}

		slices.SortFunc(s.rows, o.compare)
	case s.stale:
		fresh := slices.DeleteFunc(s.fresh, func(r *Row) bool { return r.gone })
		slices.SortFunc(fresh, o.compare)
		s.rows = merge(o, s.rows, fresh, len(t.rows))
	}

	s.fresh, s.stale = nil, false

	return s.rows
}

// merge returns size rows: those of old that are not gone, and fresh, both sorted.
func merge(o Order, old, fresh []*Row, size int) []*Row {
	rows := make([]*Row, 0, size)

	for _, r := range old {
		if r.gone {
			continue
		}

		for len(fresh) > 0 && o.compare(fresh[0], r) < 0 {
			rows, fresh = append(rows, fresh[0]), fresh[1:]
		}

		rows = append(rows, r)
	}

	return append(rows, fresh...)
}
