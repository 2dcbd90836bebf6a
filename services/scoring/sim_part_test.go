package scoring

import (
	"slices"
	"time"

	"hale.dev/services/internal/store"
)

// simRemembered is how many changes a simulated partition can fall back by.
const simRemembered = 48

// simPart is a partition of the simulated store: what is now, and how to get back to what was.
type simPart struct {
	n      int
	head   store.Head
	lease  store.Lease
	until  time.Time
	values map[string][]byte
	before []simBefore
}

// simBefore is what a change changed.
type simBefore struct {
	head   store.Head
	lease  store.Lease
	until  time.Time
	values []store.Entry // nil value: there was none
}

func newSimPart(n int) *simPart { return &simPart{n: n, values: map[string][]byte{}} }

// save notes what is, before a change.
func (p *simPart) save() {
	if len(p.before) == simRemembered {
		copy(p.before, p.before[1:])
		p.before = p.before[:simRemembered-1]
	}
	p.before = append(p.before, simBefore{head: p.head, lease: p.lease, until: p.until})
}

// set replaces a value, after save.
func (p *simPart) set(key string, value []byte) {
	b := &p.before[len(p.before)-1]
	b.values = append(b.values, store.Entry{Key: key, Value: p.values[key]})
	if value == nil {
		delete(p.values, key)
	} else {
		p.values[key] = value
	}
}

func (p *simPart) undo() {
	b := p.before[len(p.before)-1]
	p.before = p.before[:len(p.before)-1]
	p.head, p.lease, p.until = b.head, b.lease, b.until
	for _, e := range slices.Backward(b.values) {
		if e.Value == nil {
			delete(p.values, e.Key)
		} else {
			p.values[e.Key] = e.Value
		}
	}
}

func (p *simPart) grant(l store.Lease, now time.Time) {
	if l.Owner != "" {
		p.lease, p.until = l, now.Add(l.TTL)
	}
}

// write applies what a commit changes of the values, after save; twice: what is added is added twice.
func (p *simPart) write(c *store.Commit, twice bool) {
	for _, e := range c.Put {
		p.set(e.Key, append([]byte{}, e.Value...))
	}
	for _, e := range c.Append {
		old := p.values[e.Key]
		value := append(append(make([]byte, 0, len(old)+2*len(e.Value)), old...), e.Value...)
		if twice {
			value = append(value, e.Value...)
		}
		p.set(e.Key, value)
	}
	for _, k := range c.Delete {
		p.set(k, nil)
	}
}
