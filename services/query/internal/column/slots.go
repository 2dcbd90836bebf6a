package column

import "slices"

// slotCount is how many rows a chunk of slots holds.
const slotCount = 1024

// slots are rows in no order. A snapshot shares them; what is written afterwards goes to a copy.
type slots struct {
	// era is the one they were made in: a snapshot since shares them.
	era  uint64
	used int
	rows [slotCount]*Row
}

// live are the rows there are.
func (s *slots) live() []*Row { return s.rows[:s.used] }

// bag is all rows of a table, in no order. Its owner locks it.
type bag struct {
	era    uint64
	chunks []*slots
	index  map[string]uint32
}

// len returns how many rows there are.
func (b *bag) len() int { return len(b.index) }

// get returns an account's row; nil: it has none.
func (b *bag) get(account string) *Row {
	n, ok := b.index[account]
	if !ok {
		return nil
	}

	return b.chunks[n/slotCount].rows[n%slotCount]
}

// put adds a row, in the place of the one its account had.
func (b *bag) put(r *Row) {
	if b.index == nil {
		b.index = map[string]uint32{}
	}

	n, ok := b.index[r.Account]
	if !ok {
		n = uint32(len(b.index)) //nolint:gosec // a process does not hold that many
		if int(n/slotCount) == len(b.chunks) {
			b.chunks = append(b.chunks, &slots{era: b.era})
		}

		b.own(n).used++
		b.index[r.Account] = n
	}

	b.own(n).rows[n%slotCount] = r
}

// remove takes an account's row away; the last row takes its place.
func (b *bag) remove(account string) {
	n, ok := b.index[account]
	if !ok {
		return
	}

	last := uint32(len(b.index)) - 1 //nolint:gosec // a process does not hold that many
	from := b.own(last)
	row := from.rows[last%slotCount]

	b.own(n).rows[n%slotCount] = row
	b.index[row.Account] = n
	delete(b.index, account)

	from = b.own(last)
	from.rows[last%slotCount] = nil
	from.used--

	if from.used == 0 {
		b.chunks = b.chunks[:len(b.chunks)-1]
	}
}

// own returns the chunk of a slot, for writing.
func (b *bag) own(n uint32) *slots {
	c := &b.chunks[n/slotCount]
	if (*c).era != b.era {
		mine := **c
		mine.era = b.era
		*c = &mine
	}

	return *c
}

// snapshot returns all rows as they are now.
func (b *bag) snapshot() []*slots {
	b.era++

	return slices.Clone(b.chunks)
}
