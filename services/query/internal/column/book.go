package column

import "sync"

// Book holds the tables of all workspaces. It is safe for concurrent use; the zero value is empty.
type Book struct {
	mu     sync.RWMutex
	tables map[string]*Table
}

// Table returns the table of a workspace; it is made if there is none.
func (b *Book) Table(workspace string) *Table {
	b.mu.RLock()
	t := b.tables[workspace]
	b.mu.RUnlock()

	if t != nil {
		return t
	}

	b.mu.Lock()
	defer b.mu.Unlock()

	if t = b.tables[workspace]; t == nil {
		if b.tables == nil {
			b.tables = map[string]*Table{}
		}

		t = new(Table)
		b.tables[workspace] = t
	}

	return t
}

// Each calls f for each workspace that has a table.
func (b *Book) Each(f func(workspace string, t *Table)) {
	b.mu.RLock()
	defer b.mu.RUnlock()

	for workspace, t := range b.tables {
		f(workspace, t)
	}
}
