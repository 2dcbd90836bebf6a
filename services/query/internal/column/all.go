package column

// All returns all rows there are now, in no order. The slice is the caller's.
func (t *Table) All() []*Row {
	t.mu.Lock()
	defer t.mu.Unlock()

	all := make([]*Row, 0, len(t.rows))
	for _, r := range t.rows {
		all = append(all, r)
	}

	return all
}
