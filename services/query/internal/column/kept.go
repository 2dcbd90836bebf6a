package column

import (
	"slices"
	"sync"
)

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
	// promptly is how many changes a reader sorts in while it waits.
	promptly = 1024
	// leastLog is how many changes may wait for a kept order to be read, however few accounts there are.
	leastLog = 4096
	// logShare is the share of the accounts that may change before a kept order that nobody reads is dropped.
	logShare = 16
)

// kept is an order that is kept sorted.
type kept struct {
	// mu is held while changes are sorted in, so that it is done once. The table is not locked then.
	mu sync.Mutex
	// sorted is nil while it is being made. The rest is guarded by the table's lock.
	sorted *sorted
	// next is the number of the first change that is not in sorted.
	next uint64
	// used is when it was last asked for.
	used uint64
}

// note takes changes up for the kept orders. They wait until the order is read, for then many come to little; an order
// that too many wait for is dropped.
func (t *Table) note(changes []Change) {
	t.log = append(t.log, changes...)

	most := max(leastLog, t.rows.len()/logShare)
	if len(t.log) <= most {
		return
	}

	for text, k := range t.kept {
		if t.end()-k.next > uint64(most) {
			delete(t.kept, text)
		}
	}

	t.trim()
}

// end is the number of the next change.
func (t *Table) end() uint64 { return t.first + uint64(len(t.log)) }

// trim forgets changes that all kept orders have taken up. What remains is copied, for somebody may be reading.
func (t *Table) trim() {
	least := t.end()
	for _, k := range t.kept {
		least = min(least, k.next)
	}

	if done := least - t.first; done > 0 && done >= uint64(len(t.log)/2) {
		t.log, t.first = slices.Clone(t.log[done:]), least
	}
}

// catchUp sorts into a kept order what changed since it was read, and returns it; nil: it was dropped. Its lock is held.
// made is what it has been made of so far; nil: that is in the table already.
func (t *Table) catchUp(k *kept, made *sorted) *sorted {
	t.mu.Lock()

	if made == nil {
		made = k.sorted
	}

	if k.next < t.first {
		t.mu.Unlock()

		return nil
	}

	changes, end := t.log[k.next-t.first:], t.end()

	t.mu.Unlock()

	made = made.with(changes)

	t.mu.Lock()
	defer t.mu.Unlock()

	k.sorted, k.next = made, end
	t.trim()

	return made
}

// catchUpFar does so while nobody waits, until there is little left to do.
func (t *Table) catchUpFar(k *kept, made *sorted) {
	for far := true; far && t.catchUp(k, made) != nil; {
		made = nil

		t.mu.Lock()
		far = t.behind(k) > promptly
		t.mu.Unlock()
	}
}

// behind is how many changes a kept order has not taken up.
func (t *Table) behind(k *kept) uint64 { return t.end() - k.next }

// sorted returns the rows in an order, if that is kept, or has now been asked for often enough; nil: it is not, or not
// yet. With walks, it is going to be asked for again and again.
func (t *Table) sorted(o Order, walks bool) *sorted {
	t.mu.Lock()

	t.clock++

	if k := t.kept[o.text]; k != nil {
		k.used = t.clock
		made, far := k.sorted, t.behind(k) > promptly

		t.mu.Unlock()

		return t.read(k, made, far)
	}

	if !t.often(o, walks) {
		t.mu.Unlock()

		return nil
	}

	k := &kept{next: t.end(), used: t.clock}
	t.keep(o, k)

	all, size := t.rows.snapshot(), t.rows.len()

	t.mu.Unlock()

	k.mu.Lock()

	if size <= large {
		defer k.mu.Unlock()

		return t.catchUp(k, o.sort(all, size))
	}

	go func() {
		defer k.mu.Unlock()

		t.catchUpFar(k, o.sort(all, size))
	}()

	return nil
}

// read brings a kept order up to date. Nobody waits for one that is not made yet, or has far to catch up.
func (t *Table) read(k *kept, made *sorted, far bool) *sorted {
	switch {
	case made == nil:
		return nil
	case far && made.size > large:
		if k.mu.TryLock() {
			go func() {
				defer k.mu.Unlock()

				t.catchUpFar(k, nil)
			}()
		}

		return nil
	}

	k.mu.Lock()
	defer k.mu.Unlock()

	return t.catchUp(k, nil)
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
