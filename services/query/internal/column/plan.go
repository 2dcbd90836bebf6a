package column

import (
	"cmp"
	"slices"
	"strings"
)

// maxSpans is how many of a filter's spans are tried.
const maxSpans = 4

// stretch is places in a sorted list: those from one to before the other.
type stretch struct{ from, to place }

// candidates returns rows among which are all that the filter wants, where that is cheaper than to go through the
// sorted list of the order, or, if that is nil, through all rows; nil: it is not.
//
// How many rows lie in a span is known exactly, for they stand together in the order by its key. How far a walk goes
// until the page is full is guessed from that: as if those rows were spread evenly.
func (t *Table) candidates(q *Query, s *sorted) [][]*Row {
	if q.Filter == nil {
		return nil
	}

	var (
		all       = t.Len()
		best      *sorted
		stretches []stretch
		least     = all
	)

	for _, span := range q.Filter.spans[:min(len(q.Filter.spans), maxSpans)] {
		index := t.sorted(by(&span.key), false)
		if index == nil {
			continue
		}

		some := index.stretches(span.ranges)
		if size := index.count(some); size < least || best == nil {
			best, stretches, least = index, some, size
		}
	}

	if best == nil || least*walkCost > all {
		return nil
	}

	if s != nil && !q.Count && least > (q.Limit+1)*all/max(least, 1) {
		return nil // a walk is as likely to be short
	}

	return best.pieces(stretches)
}

// stretches are where the rows of ranges stand, in order and without overlap.
func (s *sorted) stretches(ranges []bounds) []stretch {
	all := make([]stretch, 0, len(ranges))
	k := &s.order.keys[0]

	for i := range ranges {
		b := &ranges[i]
		all = append(all, stretch{
			from: s.search(func(r *Row) bool { v := k.value(r); return v.known && v.compare(b.low) < 0 }),
			to:   s.search(func(r *Row) bool { return b.reaches(k.value(r)) }),
		})
	}

	slices.SortFunc(all, func(a, b stretch) int { return cmp.Or(a.from.compare(b.from), a.to.compare(b.to)) })

	apart := all[:0]

	for _, next := range all {
		if n := len(apart); n > 0 && next.from.compare(apart[n-1].to) <= 0 {
			if next.to.compare(apart[n-1].to) > 0 {
				apart[n-1].to = next.to
			}

			continue
		}

		apart = append(apart, next)
	}

	return apart
}

// reaches says whether a value is inside the bounds, or before them.
func (b *bounds) reaches(v value) bool {
	return v.known && (v.compare(b.high) <= 0 || b.prefix && strings.HasPrefix(v.text, b.high.text))
}

// count counts the rows of stretches.
func (s *sorted) count(all []stretch) int {
	n := 0

	for _, one := range all {
		s.between(one.from, one.to, func(piece []entry) { n += len(piece) })
	}

	return n
}

// pieces are the rows of stretches.
func (s *sorted) pieces(all []stretch) [][]*Row {
	pieces := [][]*Row{}

	for _, one := range all {
		s.between(one.from, one.to, func(piece []entry) {
			rows := make([]*Row, len(piece))
			for i, e := range piece {
				rows[i] = e.row
			}

			pieces = append(pieces, rows)
		})
	}

	return pieces
}
