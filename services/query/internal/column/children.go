package column

import "sync"

// family is which accounts stand under which parent. It has a lock of its own, so that a read of one account never
// waits for a list that is being sorted. Only accounts with a parent cost anything.
type family struct {
	mu       sync.RWMutex
	children map[string]map[string]*Row // by parent, then by account
}

// follow takes changes up.
func (f *family) follow(changes []Change) {
	if !anyParent(changes) {
		return
	}

	f.mu.Lock()
	defer f.mu.Unlock()

	for _, c := range changes {
		if c.Old != nil && c.Old.Parent != "" && (c.New == nil || c.New.Parent != c.Old.Parent) {
			f.remove(c.Old)
		}

		if c.New != nil && c.New.Parent != "" {
			f.set(c.New)
		}
	}
}

func anyParent(changes []Change) bool {
	for _, c := range changes {
		if c.Old != nil && c.Old.Parent != "" || c.New != nil && c.New.Parent != "" {
			return true
		}
	}

	return false
}

func (f *family) set(r *Row) {
	if f.children == nil {
		f.children = map[string]map[string]*Row{}
	}

	of := f.children[r.Parent]
	if of == nil {
		of = map[string]*Row{}
		f.children[r.Parent] = of
	}

	of[r.Account] = r
}

func (f *family) remove(r *Row) {
	of := f.children[r.Parent]
	delete(of, r.Account)

	if len(of) == 0 {
		delete(f.children, r.Parent)
	}
}

// Children returns the rows of the accounts right under a parent, in no order: those whose own children stand above
// it, as in a circle, too, but never the account itself.
func (t *Table) Children(parent string) []*Row {
	t.family.mu.RLock()
	defer t.family.mu.RUnlock()

	of := t.family.children[parent]
	if len(of) == 0 {
		return nil
	}

	rows := make([]*Row, 0, len(of))

	for account, r := range of {
		if account != parent {
			rows = append(rows, r)
		}
	}

	return rows
}
