package memory

import (
	"slices"
	"sync"
	"time"

	"hale.dev/services/internal/store"
)

// part is one partition. Values are never changed in place: an append writes behind the end that readers
// and snapshots know, or moves the value.
//
// While a snapshot reads base, base stands still and writes go to over; see freeze.
type part struct {
	n int

	mu       sync.RWMutex
	head     store.Head
	last     uint64 // the highest generation that was ever given
	lease    store.Lease
	until    time.Time // when the lease ends
	draft    *draft    // nil: there is none
	base     map[string][]byte
	over     map[string][]byte // nil: no snapshot under way; a nil value: deleted
	written  int64             // bytes written since the last snapshot
	changed  bool              // anything changed since then
	age      int               // intervals since then
	size     int64             // bytes of that snapshot
	watchers []*watcher
}

func newPart(n int) *part { return &part{n: n, base: map[string][]byte{}} }

// next returns the number of a new generation.
func (p *part) next() uint64 {
	p.last = max(p.last, p.head.Generation) + 1
	return p.last
}

// replace puts a head with its values in place of what is live. A snapshot under way keeps the map that it reads.
func (p *part) replace(head store.Head, values map[string][]byte) {
	p.head, p.draft, p.base = head, nil, values
	if p.over != nil {
		p.over = map[string][]byte{}
	}
	p.changed, p.size = true, 0 // the old snapshot is worth nothing any more
	p.announce(nil, true)
}

// reset begins a new generation without values.
func (p *part) reset(epoch uint64) (store.Head, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.Head{}, store.ErrFenced
	}
	p.replace(store.Head{Epoch: epoch, Generation: p.next(), Revision: p.head.Revision + 1}, map[string][]byte{})
	return p.head, nil
}

func (p *part) read(keys []string) (store.Head, [][]byte) {
	values := make([][]byte, len(keys))
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i, k := range keys {
		values[i] = slices.Clip(p.get(k))
	}
	return p.head, values
}

func (p *part) get(k string) []byte {
	if p.over != nil {
		if v, ok := p.over[k]; ok {
			return v
		}
	}
	return p.base[k]
}

func (p *part) commit(c *store.Commit) error {
	values := make([][]byte, len(c.Put)) // copied outside the lock
	for i := range c.Put {
		values[i] = append(make([]byte, 0, len(c.Put[i].Value)), c.Put[i].Value...)
	}
	state := slices.Clone(c.State)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Draft {
		return p.commitDraft(c, values, state)
	}
	if !fits(&p.head, c) {
		return store.ErrFenced
	}
	p.grant(c.Lease)
	p.apply(c, values)
	p.head.Cursor, p.head.State, p.head.Revision = c.Cursor, state, p.head.Revision+1
	p.changed = true
	if len(p.watchers) > 0 {
		p.announce(slices.Clone(c.Changed), false)
	}
	return nil
}

// fits reports whether a commit is of the head's owner and goes on from where it is.
func fits(h *store.Head, c *store.Commit) bool {
	return c.Epoch == h.Epoch && c.Generation == h.Generation && c.From == h.Cursor &&
		(c.Revision == 0 || c.Revision == h.Revision)
}

func (p *part) apply(c *store.Commit, values [][]byte) {
	m := p.base
	if p.over != nil {
		m = p.over
	}
	for i := range c.Put {
		m[c.Put[i].Key] = values[i]
		p.written += int64(len(values[i]))
	}
	for i := range c.Append {
		k, more := c.Append[i].Key, c.Append[i].Value
		v := append(p.get(k), more...)
		if v == nil {
			v = []byte{}
		}
		m[k] = v
		p.written += int64(len(more))
	}
	for _, k := range c.Delete {
		if p.over != nil {
			p.over[k] = nil
		} else {
			delete(p.base, k)
		}
	}
}

// announce queues the change just made for every watcher.
func (p *part) announce(accounts []string, lost bool) {
	ch := store.Change{
		Partition: p.n, Epoch: p.head.Epoch, Generation: p.head.Generation, Cursor: p.head.Cursor,
		Revision: p.head.Revision, Accounts: accounts, Lost: lost,
	}
	for _, w := range p.watchers {
		w.add(ch)
	}
}

// freeze returns the head and the values as of now; they stand still until thaw.
func (p *part) freeze() (store.Head, map[string][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = map[string][]byte{}
	p.changed, p.written, p.age = false, 0, 0
	return p.head, p.base
}

// thaw moves what was written since freeze to base. A snapshot that could not be written stays due.
func (p *part) thaw(saved bool, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, v := range p.over {
		if v == nil {
			delete(p.base, k)
		} else {
			p.base[k] = v
		}
	}
	p.over = nil
	if saved {
		p.size = size
	} else {
		p.changed = true
	}
}
