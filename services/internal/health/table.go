package health

import (
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

const (
	// partSize is how many entries a part holds on average before the parts double.
	partSize = 256
	// maxSplit bounds the number of parts of a table to 2^maxSplit.
	maxSplit = 12
)

// part is a run of a table's entries, sorted by id: ids and values side by side.
type part[E any] struct {
	ids   []string
	vals  []E
	dirty bool
}

// table maps ids to entries. Up to partSize entries stand in one part; more are split by hash into
// 2^split parts, so that a change rewrites a small piece.
//
// Beyond a bound of entries a table keeps a uniform sample: the ids whose hash begins with level
// zero bits. Which ids these are depends on the set of ids alone, not on their order.
type table[E any] struct {
	one    part[E]   // the only part while split is 0
	parts  []part[E] // 2^split parts otherwise
	split  uint8
	stored uint8 // split at the last Encode or Decode
	level  uint8
	count  int
	bytes  int // of ids
}

func hashID(id string) uint64 { return xxh3.HashString(id) }

// at returns the part an id belongs to.
func (t *table[E]) at(id string) *part[E] {
	if t.split == 0 {
		return &t.one
	}
	return &t.parts[hashID(id)&(1<<t.split-1)]
}

// search returns where id stands in the part, or would.
func (p *part[E]) search(id string) (int, bool) {
	lo, hi := 0, len(p.ids)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if p.ids[mid] < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(p.ids) && p.ids[lo] == id
}

// find returns an entry and its part; nil where there is none. Who changes the entry marks the part
// dirty.
func (t *table[E]) find(id string) (*E, *part[E]) {
	if t.count == 0 {
		return nil, nil
	}
	p := t.at(id)
	if i, ok := p.search(id); ok {
		return &p.vals[i], p
	}
	return nil, p
}

// insert adds an entry for an id that has none.
func (t *table[E]) insert(id string, e E) *E {
	if t.count >= partSize<<t.split && t.split < maxSplit {
		t.resplit(t.split + 1)
	}
	p := t.at(id)
	i, _ := p.search(id)
	id = strings.Clone(id)
	p.ids = slices.Insert(p.ids, i, id)
	p.vals = slices.Insert(p.vals, i, e)
	p.dirty = true
	t.count++
	t.bytes += len(id)
	return &p.vals[i]
}

// remove takes an entry out.
func (t *table[E]) remove(id string) (E, bool) {
	var e E
	if t.count == 0 {
		return e, false
	}
	p := t.at(id)
	i, ok := p.search(id)
	if !ok {
		return e, false
	}
	e = p.vals[i]
	p.ids = slices.Delete(p.ids, i, i+1)
	p.vals = slices.Delete(p.vals, i, i+1)
	p.dirty = true
	t.count--
	t.bytes -= len(id)
	return e, true
}

// each visits every entry, part by part, each in order of id.
func (t *table[E]) each(f func(id string, e *E)) {
	for i := range t.one.ids {
		f(t.one.ids[i], &t.one.vals[i])
	}
	for n := range t.parts {
		p := &t.parts[n]
		for i := range p.ids {
			f(p.ids[i], &p.vals[i])
		}
	}
}

// retain keeps the entries that f approves of, and takes fewer parts where few are left.
func (t *table[E]) retain(f func(id string, e *E) bool) {
	t.one.retain(t, f)
	for n := range t.parts {
		t.parts[n].retain(t, f)
	}
	split := t.split
	for split > 0 && t.count <= partSize/4<<split {
		split--
	}
	if split != t.split {
		t.resplit(split)
	}
}

func (p *part[E]) retain(t *table[E], f func(id string, e *E) bool) {
	kept := 0
	for i, id := range p.ids {
		if !f(id, &p.vals[i]) {
			t.count--
			t.bytes -= len(id)
			continue
		}
		p.ids[kept], p.vals[kept] = id, p.vals[i]
		kept++
	}
	if kept == len(p.ids) {
		return
	}
	clear(p.ids[kept:])
	clear(p.vals[kept:])
	p.ids, p.vals, p.dirty = p.ids[:kept], p.vals[:kept], true
}

// resplit spreads the entries over 2^split parts. All of them will be written.
func (t *table[E]) resplit(split uint8) {
	old := *t
	t.split, t.one, t.parts = split, part[E]{}, nil
	if split > 0 {
		t.parts = make([]part[E], 1<<split)
	}
	add := func(p *part[E]) {
		for i, id := range p.ids {
			q := t.at(id)
			q.ids = append(q.ids, id)
			q.vals = append(q.vals, p.vals[i])
		}
	}
	add(&old.one)
	for n := range old.parts {
		add(&old.parts[n])
	}
	if split < old.split {
		t.one.sort()
	}
	for n := range t.parts {
		t.parts[n].dirty = true
		if split < old.split {
			t.parts[n].sort()
		}
	}
}

// sort restores the order of ids, after parts were joined.
func (p *part[E]) sort() {
	order := make([]int, len(p.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(p.ids[a], p.ids[b]) })
	ids, vals := make([]string, len(order)), make([]E, len(order))
	for to, from := range order {
		ids[to], vals[to] = p.ids[from], p.vals[from]
	}
	p.ids, p.vals = ids, vals
}

// in says whether an id belongs to the sample.
func (t *table[E]) in(id string) bool {
	return t.level == 0 || hashID(id)>>(64-t.level) == 0
}

// scale turns a count of the sample into an estimate of the whole.
func (t *table[E]) scale(n int64) int64 { return n << t.level }
