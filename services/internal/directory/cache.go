package directory

import (
	"container/list"
	"sync"
)

// version is a record at a revision of the bucket. Revision 0: there is none.
type version struct {
	record   record
	revision uint64
}

// cache keeps the versions used last. A slot is reserved before the bucket is read, so that a newer version that the
// watch brings meanwhile is not overwritten by the older one read.
type cache struct {
	mu    sync.Mutex
	limit int
	order *list.List // of *slot, used last first
	slots map[string]*list.Element
}

type slot struct {
	version

	key    string
	loaded bool
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), slots: make(map[string]*list.Element)}
}

// get returns what is known of a key; otherwise it reserves a slot.
func (c *cache) get(key string) (version, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if e, ok := c.slots[key]; ok {
		c.order.MoveToFront(e)

		s, _ := e.Value.(*slot)

		return s.version, s.loaded
	}

	c.slots[key] = c.order.PushFront(&slot{key: key})

	for c.order.Len() > c.limit {
		e := c.order.Back()
		s, _ := c.order.Remove(e).(*slot)
		delete(c.slots, s.key)
	}

	return version{}, false
}

// put stores what was read or written, if the slot is still there and holds nothing newer.
func (c *cache) put(key string, v version) {
	c.mu.Lock()
	defer c.mu.Unlock()

	e, ok := c.slots[key]
	if !ok {
		return
	}

	s, _ := e.Value.(*slot)
	if s.loaded && s.revision > v.revision {
		return
	}

	s.version, s.loaded = v, true
}

// forget drops a key.
func (c *cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if e, ok := c.slots[key]; ok {
		c.order.Remove(e)
		delete(c.slots, key)
	}
}

// reset drops everything: some news may have been missed.
func (c *cache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.order.Init()
	clear(c.slots)
}
