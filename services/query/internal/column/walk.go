package column

import (
	"runtime"
	"sync"
)

const (
	// stroll is how many rows are looked at before other processors are asked to help.
	stroll = 8 * chunkSize
	// stride is how many chunks a processor looks at before it is seen how the walk goes.
	stride = 32
	// walkCost is how many rows can be looked at as they lie in memory while one is in the order of a list.
	walkCost = 3
)

// walk returns the first rows of a sorted list that the page wants, one more than its limit if there are; false: so few
// are wanted that it is cheaper to look at all rows as they lie in memory.
func (q *Query) walk(s *sorted) ([]entry, bool) {
	var (
		from   = place{}
		page   = make([]entry, 0, q.Limit+1)
		pieces [][]entry
		looked int
	)

	if q.After != nil {
		from = s.search(func(r *Row) bool { return !q.Order.behind(q.After, r) })
	}

	s.between(from, s.end(), func(piece []entry) {
		switch {
		case len(page) > q.Limit:
		case looked < stroll || q.Filter == nil:
			page = q.gather(page, piece)
			looked += len(piece)
		default:
			pieces = append(pieces, piece)
		}
	})

	for workers := runtime.GOMAXPROCS(0); len(page) <= q.Limit && len(pieces) > 0; {
		if q.tooFar(len(page), looked, len(pieces)*chunkSize, s.size) {
			return nil, false
		}

		wave := pieces[:min(len(pieces), workers*stride)]
		pieces = pieces[len(wave):]
		looked += len(wave) * chunkSize

		for _, some := range q.wave(wave, workers) {
			page = append(page, some...)
		}
	}

	return page[:min(len(page), q.Limit+1)], true
}

// tooFar says whether a walk that has found some rows among those it looked at had better be given up, with so many
// rows left to look at, and so many there are in all.
func (q *Query) tooFar(found, looked, left, all int) bool {
	ahead := (q.Limit + 1 - found) * looked / max(found, 1) // where the rows wanted are spread evenly

	return min(ahead, left)*walkCost > all
}

// gather adds the rows of a piece that are wanted, until there is one more than the page's limit.
func (q *Query) gather(page []entry, piece []entry) []entry {
	for _, e := range piece {
		if len(page) > q.Limit {
			break
		}

		if q.wants(e.row) {
			page = append(page, e)
		}
	}

	return page
}

// wave looks at pieces with several processors, each at pieces that stand side by side.
func (q *Query) wave(pieces [][]entry, workers int) [][]entry {
	var (
		found = make([][]entry, workers)
		wg    sync.WaitGroup
	)

	for w := range workers {
		wg.Go(func() {
			for _, piece := range pieces[w*len(pieces)/workers : (w+1)*len(pieces)/workers] {
				found[w] = q.gather(found[w], piece)
			}
		})
	}

	wg.Wait()

	return found
}
