package column

import (
	"cmp"
	"runtime"
	"slices"
	"sort"
	"sync"
)

// sorted is rows in an order, in chunks, so that a change copies but a chunk. It never changes.
type sorted struct {
	order  Order
	chunks [][]entry
	size   int
}

// entry is a row in its place.
type entry struct {
	prefix uint64
	row    *Row
}

// chunkSize is how many entries a new chunk has; one grows to twice that and is then divided.
const chunkSize = 512

// compare says which entry comes first.
func (o Order) compareEntries(a, b entry) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}

	return o.compare(a.row, b.row)
}

// entries are rows with their prefixes.
func (o Order) entries(rows []*Row) []entry {
	all := make([]entry, len(rows))
	for i, r := range rows {
		all[i] = entry{prefix: o.prefix(r), row: r}
	}

	return all
}

// sort makes a sorted of rows, with all processors.
func (o Order) sort(chunks []*slots, size int) *sorted {
	var (
		workers = min(runtime.GOMAXPROCS(0), max(len(chunks), 1))
		runs    = make([][]entry, workers)
		wg      sync.WaitGroup
	)

	for w := range workers {
		wg.Go(func() {
			mine := chunks[w*len(chunks)/workers : (w+1)*len(chunks)/workers]
			run := make([]entry, 0, len(mine)*slotCount)

			for _, c := range mine {
				run = append(run, o.entries(c.live())...)
			}

			slices.SortFunc(run, o.compareEntries)
			runs[w] = run
		})
	}

	wg.Wait()

	return o.mergeRuns(runs, size)
}

// mergeRuns makes one of sorted runs.
func (o Order) mergeRuns(runs [][]entry, size int) *sorted {
	s := &sorted{order: o, size: size, chunks: make([][]entry, 0, size/chunkSize+1)}

	for {
		chunk := make([]entry, 0, min(chunkSize, size))

		for len(chunk) < chunkSize {
			least := -1

			for i, run := range runs {
				if len(run) > 0 && (least < 0 || o.compareEntries(run[0], runs[least][0]) < 0) {
					least = i
				}
			}

			if least < 0 {
				break
			}

			chunk, runs[least] = append(chunk, runs[least][0]), runs[least][1:]
		}

		if len(chunk) == 0 {
			return s
		}

		s.chunks = append(s.chunks, chunk)
	}
}

// search returns the place of the first entry that is not before something; before must be true for the first
// entries and false for the others.
func (s *sorted) search(before func(*Row) bool) place {
	chunk := sort.Search(len(s.chunks), func(i int) bool { return !before(s.chunks[i][0].row) })
	if chunk == 0 {
		return place{}
	}

	in := s.chunks[chunk-1]
	at := sort.Search(len(in), func(i int) bool { return !before(in[i].row) })

	if at == len(in) {
		return place{chunk: chunk}
	}

	return place{chunk: chunk - 1, at: at}
}

// place is the place of an entry.
type place struct{ chunk, at int }

// compare says which place comes first.
func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.chunk, q.chunk), cmp.Compare(p.at, q.at))
}

// end is the place behind the last entry.
func (s *sorted) end() place { return place{chunk: len(s.chunks)} }

// between calls f for the pieces from one place to before another, which may come first: then there are none.
func (s *sorted) between(from, to place, f func([]entry)) {
	for c := from.chunk; c < len(s.chunks) && c <= to.chunk; c++ {
		piece := s.chunks[c]
		if c == to.chunk {
			piece = piece[:to.at]
		}

		if c == from.chunk {
			piece = piece[min(from.at, len(piece)):]
		}

		if len(piece) > 0 {
			f(piece)
		}
	}
}
