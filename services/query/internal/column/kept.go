package column

import "slices"

const (
	// maxKept is how many orders a table keeps sorted; 16 bytes an account each.
	maxKept = 12
	// maxAsked is of how many other orders it knows how often they were asked for.
	maxAsked = 64
	// enough is how often an order must be asked for before it is kept. Until then lists find their rows by looking at
	// all accounts.
	enough = 3
	// large is from how many rows on nobody waits for an order to be sorted.
	large = 1 << 15
	// maxLog is how many changes may wait for a kept order to be read.
	maxLog = 4096
)

// kept is an order that is kept sorted.
type kept struct {
	// sorted is nil while it is being made.
	sorted *sorted
	// next is the number of the first change that is not in sorted.
	next uint64
	// used is when it was last asked for.
	used uint64
}

// note takes changes up for the kept orders. They wait until the order is read, for then many come to little; once too
// many wait they are sorted in, or the order is dropped where sorting all anew will be cheaper.
func (t *Table) note(changes []Change) {
	t.log = append(t.log, changes...)
	if len(t.log) <= maxLog {
		return
	}

	for text, k := range t.kept {
		if behind := t.end() - k.next; k.sorted == nil || behind > uint64(t.rows.len()/8) { //nolint:gosec // a length
			delete(t.kept, text)

			continue
		}

		t.catchUp(k)
	}

	t.first, t.log = t.end(), nil
}

// end is the number of the next change.
func (t *Table) end() uint64 { return t.first + uint64(len(t.log)) }

// catchUp brings a kept order up to date.
func (t *Table) catchUp(k *kept) *sorted {
	k.sorted = k.sorted.with(t.log[k.next-t.first:])
	k.next = t.end()

	return k.sorted
}

// trim forgets changes that all kept orders have taken up.
func (t *Table) trim() {
	least := t.end()
	for _, k := range t.kept {
		least = min(least, k.next)
	}

	// Not for each change: what is behind is moved.
	if done := least - t.first; done > maxLog/4 || done == uint64(len(t.log)) {
		t.log = slices.Delete(t.log, 0, int(done)) //nolint:gosec // at most the length
		t.first = least
	}
}

// sorted returns the rows in an order, if that is kept, or has now been asked for often enough; nil: it is not, or not
// yet. With walks, it is going to be asked for again and again.
func (t *Table) sorted(o Order, walks bool) *sorted {
	t.mu.Lock()

	t.clock++

	if k := t.kept[o.text]; k != nil {
		defer t.mu.Unlock()

		k.used = t.clock
		if k.sorted == nil {
			return nil
		}

		s := t.catchUp(k)
		t.trim()

		return s
	}

	if !t.often(o, walks) {
		t.mu.Unlock()

		return nil
	}

	k := &kept{next: t.end(), used: t.clock}
	t.keep(o, k)

	all, size := t.rows.snapshot(), t.rows.len()

	t.mu.Unlock()

	if size > large {
		go t.make(o, k, all, size)

		return nil
	}

	return t.make(o, k, all, size)
}

// make sorts an order, outside of the lock, for it takes long.
func (t *Table) make(o Order, k *kept, all []*slots, size int) *sorted {
	made := o.sort(all, size)

	t.mu.Lock()
	defer t.mu.Unlock()

	if t.kept[o.text] != k { // too much changed meanwhile; it is good as of then
		return made
	}

	k.sorted = made

	return t.catchUp(k)
}

// often counts how often an order is asked for.
func (t *Table) often(o Order, walks bool) bool {
	if t.asked == nil {
		t.asked = map[string]int{}
	}

	if t.asked[o.text]++; walks || t.asked[o.text] >= enough {
		delete(t.asked, o.text)

		return true
	}

	if len(t.asked) > maxAsked {
		clear(t.asked)
	}

	return false
}

// keep adds an order; the one that was not asked for longest makes room.
func (t *Table) keep(o Order, k *kept) {
	if t.kept == nil {
		t.kept = map[string]*kept{}
	}

	if len(t.kept) >= maxKept {
		oldest := ""

		for text, other := range t.kept {
			if oldest == "" || other.used < t.kept[oldest].used {
				oldest = text
			}
		}

		delete(t.kept, oldest)
	}

	t.kept[o.text] = k
}
