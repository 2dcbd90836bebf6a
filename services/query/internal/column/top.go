package column

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// alone is how many rows one processor looks at without help.
const alone = 4096

// top returns the first rows in the query's order among pieces that are in none, one more than the limit if there are;
// and how many it wants, if that is to be counted, else total.
func (q *Query) top(pieces [][]*Row, total int) (rows []entry, count int) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}

	workers := runtime.GOMAXPROCS(0)
	if size <= alone {
		workers = 1
	}

	var (
		picks = make([]pick, workers)
		next  atomic.Int64
		wg    sync.WaitGroup
	)

	for w := range workers {
		wg.Go(func() {
			p := &picks[w]
			p.query = q

			for {
				n := int(next.Add(1)) - 1
				if n >= len(pieces) {
					return
				}

				p.look(pieces[n])
			}
		})
	}

	wg.Wait()

	for i := range picks {
		rows = append(rows, picks[i].best...)
		count += picks[i].count
	}

	slices.SortFunc(rows, q.Order.compareEntries)

	if !q.Count {
		count = total
	}

	return rows[:min(len(rows), q.Limit+1)], count
}

// pick finds the first rows of many.
type pick struct {
	query *Query
	// best is a heap: each entry comes after the two at twice its place, so the last of all is at the start.
	best  []entry
	count int
}

// look takes rows up.
func (p *pick) look(rows []*Row) {
	q := p.query

	for _, r := range rows {
		full := len(p.best) > q.Limit
		// Where an account would not be on the page it need not be looked at closely, unless it is to be counted.
		if full && !q.Count && p.late(r) || !q.wants(r) {
			continue
		}

		p.count++

		if q.behind(r) && (!full || !q.Count || !p.late(r)) {
			p.push(entry{prefix: q.Order.prefix(r), row: r})
		}
	}
}

// late says whether a row comes after all of the best.
func (p *pick) late(r *Row) bool {
	o := p.query.Order

	return o.compareEntries(entry{prefix: o.prefix(r), row: r}, p.best[0]) >= 0
}

// push adds an entry that belongs to the best.
func (p *pick) push(e entry) {
	if len(p.best) > p.query.Limit {
		p.best[0] = e
		p.sink()

		return
	}

	p.best = append(p.best, e)

	for at := len(p.best) - 1; at > 0; {
		up := (at - 1) / 2
		if p.query.Order.compareEntries(p.best[at], p.best[up]) <= 0 {
			return
		}

		p.best[at], p.best[up] = p.best[up], p.best[at]
		at = up
	}
}

// sink moves the first entry down to where it belongs.
func (p *pick) sink() {
	for at := 0; ; {
		last := at

		for kid := 2*at + 1; kid <= 2*at+2 && kid < len(p.best); kid++ {
			if p.query.Order.compareEntries(p.best[kid], p.best[last]) > 0 {
				last = kid
			}
		}

		if last == at {
			return
		}

		p.best[at], p.best[last] = p.best[last], p.best[at]
		at = last
	}
}
