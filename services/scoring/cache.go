package scoring

import (
	"container/list"

	"hale.dev/services/internal/health"
)

// cache keeps the accounts of one partition decoded, the most recently used of them, within a bound of bytes.
// It implements fold.Accounts. Whoever folds sees every account that it loaded until trim is called.
type cache struct {
	entries map[string]*list.Element
	order   *list.List // front: used last
	bytes   int
	// limit is asked for anew each time: it is this partition's share of what all may use.
	limit func() int
}

type cached struct {
	id      string
	account *health.Account
	size    int
	// flush is the number of the last commit that carries this account.
	flush uint64
}

func newCache(limit func() int) *cache {
	return &cache{entries: map[string]*list.Element{}, order: list.New(), limit: limit}
}

// Get returns the account, nil if it is not here.
func (c *cache) Get(id string) *health.Account {
	e := c.entries[id]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).account //nolint:forcetypeassert // the list holds nothing else
}

// Put adds an account, in place of one with the same id.
func (c *cache) Put(id string, a *health.Account) {
	if e := c.entries[id]; e != nil {
		c.drop(e)
	}
	entry := &cached{id: id, account: a, size: size(id, a)}
	c.bytes += entry.size
	c.entries[id] = c.order.PushFront(entry)
}

// has reports whether the account is here, without using it.
func (c *cache) has(id string) bool { return c.entries[id] != nil }

// flushed notes that commit n carries the accounts.
func (c *cache) flushed(n uint64, ids []string) {
	for _, id := range ids {
		if e := c.entries[id]; e != nil {
			entry := e.Value.(*cached) //nolint:forcetypeassert // the list holds nothing else
			entry.flush = n
			now := size(id, entry.account)
			c.bytes += now - entry.size
			entry.size = now
		}
	}
}

// trim drops the least recently used accounts beyond the bound, keeping those that are not yet
// stored: changed since the last flush, or carried by a commit after committed.
func (c *cache) trim(committed uint64, changed func(id string) bool) {
	limit := c.limit()
	for e := c.order.Back(); e != nil && c.bytes > limit; {
		entry := e.Value.(*cached) //nolint:forcetypeassert // the list holds nothing else
		older := e.Prev()
		if entry.flush <= committed && !changed(entry.id) {
			c.drop(e)
		}
		e = older
	}
}

func (c *cache) drop(e *list.Element) {
	entry := c.order.Remove(e).(*cached) //nolint:forcetypeassert // the list holds nothing else
	delete(c.entries, entry.id)
	c.bytes -= entry.size
}

// overhead is what the cache itself needs for an entry, in bytes: map slot, list element, entry.
const overhead = 200

func size(id string, a *health.Account) int { return a.Size() + len(id) + overhead }

// cacheLimit is down to where a worker trims its accounts, bytes: its share of the memory for accounts, less half
// of it for those that it loads, and cannot let go before they are stored.
func (s *Service) cacheLimit() int {
	const part = 2
	return s.cfg.CacheMiB << 20 / max(1, int(s.open.Load())) / part
}
