package column

import (
	"slices"
	"sort"
)

// with returns the rows after changes.
func (s *sorted) with(changes []Change) *sorted {
	gone, come := s.order.net(changes)
	if len(gone)+len(come) == 0 {
		return s
	}

	next := &sorted{order: s.order, size: s.size + len(come) - len(gone), chunks: make([][]entry, 0, len(s.chunks)+1)}

	if len(s.chunks) == 0 {
		next.add(come)

		return next
	}

	for at := 0; at < len(s.chunks); {
		touched := len(s.chunks) // the next chunk that something changes in
		if len(gone) > 0 {
			touched = s.chunkOf(gone[0], at)
		}

		if len(come) > 0 {
			touched = min(touched, s.chunkOf(come[0], at))
		}

		next.chunks = append(next.chunks, s.chunks[at:touched]...)
		if touched == len(s.chunks) {
			break
		}

		old, some := s.until(touched+1, gone), s.until(touched+1, come)
		next.add(s.order.patch(s.chunks[touched], gone[:old], come[:some]))

		gone, come, at = gone[old:], come[some:], touched+1
	}

	return next
}

// chunkOf returns the chunk, from one on, that an entry belongs in.
func (s *sorted) chunkOf(e entry, from int) int {
	n := sort.Search(len(s.chunks)-from, func(i int) bool { return s.order.compareEntries(s.chunks[from+i][0], e) > 0 })

	return from + max(n-1, 0)
}

// until counts the entries that come before a chunk.
func (s *sorted) until(chunk int, entries []entry) int {
	if chunk == len(s.chunks) {
		return len(entries)
	}

	first := s.chunks[chunk][0]

	return sort.Search(len(entries), func(i int) bool { return s.order.compareEntries(entries[i], first) >= 0 })
}

// add adds entries behind all others: to the last chunk where both are small, in several where they are many.
func (s *sorted) add(entries []entry) {
	if n := len(s.chunks); n > 0 && len(entries) < chunkSize/4 && len(s.chunks[n-1])+len(entries) <= chunkSize {
		s.chunks[n-1] = slices.Concat(s.chunks[n-1], entries)

		return
	}

	for len(entries) > 2*chunkSize {
		s.chunks, entries = append(s.chunks, slices.Clone(entries[:chunkSize])), entries[chunkSize:]
	}

	if len(entries) > 0 {
		s.chunks = append(s.chunks, entries)
	}
}

// patch returns a chunk without what is gone and with what has come, all in order.
func (o Order) patch(chunk, gone, come []entry) []entry {
	next := make([]entry, 0, len(chunk)+len(come))

	for len(gone)+len(come) > 0 {
		// What is gone goes first, for what has come may take its very place.
		comes := len(gone) == 0 || len(come) > 0 && o.compareEntries(come[0], gone[0]) < 0

		var e entry
		if comes {
			e = come[0]
		} else {
			e = gone[0]
		}

		n := sort.Search(len(chunk), func(i int) bool { return o.compareEntries(chunk[i], e) >= 0 })
		next, chunk = append(next, chunk[:n]...), chunk[n:]

		if comes {
			next, come = append(next, e), come[1:]

			continue
		}

		gone = gone[1:]

		if len(chunk) > 0 && chunk[0].row == e.row {
			chunk = chunk[1:]
		}
	}

	return append(next, chunk...)
}

// net is what changes come to: of each account the row that was there before all and the one that is there after, both
// ordered.
func (o Order) net(changes []Change) (gone, come []entry) {
	last := make(map[string]int, len(changes))
	all := make([]Change, 0, len(changes))

	for _, c := range changes {
		account := c.account()

		at, ok := last[account]
		if !ok {
			last[account] = len(all)
			all = append(all, c)

			continue
		}

		all[at].New = c.New
	}

	for _, c := range all {
		if c.Old == c.New {
			continue
		}

		if c.Old != nil {
			gone = append(gone, entry{prefix: o.prefix(c.Old), row: c.Old})
		}

		if c.New != nil {
			come = append(come, entry{prefix: o.prefix(c.New), row: c.New})
		}
	}

	slices.SortFunc(gone, o.compareEntries)
	slices.SortFunc(come, o.compareEntries)

	return gone, come
}

// account is whose change it is.
func (c Change) account() string {
	if c.New != nil {
		return c.New.Account
	}

	return c.Old.Account
}
