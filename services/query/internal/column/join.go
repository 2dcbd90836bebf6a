package column

import "iter"

// Join calls f while nothing changes, and returns the rows as they are then, if they are wanted, in no order: what is
// heard of after f is all that they lack. f must be quick and must not use the table.
func (t *Table) Join(wanted bool, f func()) iter.Seq[*Row] {
	t.mu.Lock()
	defer t.mu.Unlock()

	f()

	if !wanted {
		return func(func(*Row) bool) {}
	}

	return rowsIn(t.rows.snapshot())
}
