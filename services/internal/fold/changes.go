package fold

import (
	"maps"
	"slices"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// EraDays is how many days of an account's history stand under one key.
const EraDays = 100

// erasKept is how many eras stay: the current one and what 400 days reach back.
const erasKept = 5

// EraOf returns the era of a day.
func EraOf(d health.Day) int32 {
	if d < 0 {
		return (int32(d)+1)/EraDays - 1
	}
	return int32(d) / EraDays
}

// HistoryKeys returns every key under which history of an account may stand, as of a day.
func HistoryKeys(id string, today health.Day) []string {
	keys := make([]string, 0, erasKept+1)
	for era := EraOf(today); len(keys) <= erasKept; era-- {
		keys = append(keys, store.HistoryKey(id, era))
	}
	return keys
}

// changes is all that has changed since the last Flush.
type changes struct {
	touched map[string]*touch
	appends map[string][]byte
	puts    map[string][]byte
	deletes map[string]struct{}
	added   []string
	refused []Refused
	alerts  []*logv1.AlertRecord
	// swept says that something was done that shows in the state alone.
	swept bool
}

func (c *changes) reset() {
	*c = changes{
		touched: map[string]*touch{}, appends: map[string][]byte{},
		puts: map[string][]byte{}, deletes: map[string]struct{}{},
	}
}

// touch notes an account as changed.
func (c *changes) touch(id string, a *health.Account) *touch {
	t := c.touched[id]
	if t == nil {
		t = &touch{id: id, account: a}
		c.touched[id] = t
	}
	return t
}

func (c *changes) put(key string, value []byte) { c.puts[key] = value }

func (c *changes) delete(key string) {
	delete(c.appends, key)
	delete(c.puts, key)
	c.deletes[key] = struct{}{}
}

func (c *changes) row(id string, r health.Row) {
	era := EraOf(r.Day)
	key := store.HistoryKey(id, era)
	c.appends[key] = health.AppendRow(c.appends[key], r)
	if r.Day%EraDays == 0 {
		c.delete(store.HistoryKey(id, era-erasKept))
	}
}

func (c *changes) remember(now int64, ids []fingerprint) {
	key := store.DedupeKey(now / hour)
	c.appends[key] = appendRun(c.appends[key], now, ids)
}

// Dirty reports how many accounts changed since the last Flush.
func (p *Partition) Dirty() int { return len(p.changed.touched) }

// Pending reports whether Flush has anything to write.
func (p *Partition) Pending() bool {
	return p.head.Cursor != p.flushed || p.changed.swept || len(p.changed.touched) > 0
}

// Touched reports whether the account changed since the last Flush.
func (p *Partition) Touched(id string) bool { return p.changed.touched[id] != nil }

// Flush returns the commit that takes the store from the last Flush to here, and the records refused on
// the way, which must be durable before the commit. Between two messages only.
func (p *Partition) Flush() (*store.Commit, []Refused) {
	c := &store.Commit{
		Partition: p.number, Epoch: p.head.Epoch, Generation: p.head.Generation,
		From: p.flushed, Cursor: p.head.Cursor, Revision: p.head.Revision,
	}
	p.head.Revision++
	p.flushed = c.Cursor
	for id, t := range p.changed.touched {
		main := t.account.Encode(
			func(part uint32, value []byte) {
				c.Put = append(c.Put, store.Entry{Key: store.PartKey(id, part), Value: value})
			},
			func(part uint32) { c.Delete = append(c.Delete, store.PartKey(id, part)) },
		)
		c.Put = append(c.Put, store.Entry{Key: store.AccountKey(id), Value: main})
		c.Changed = append(c.Changed, id)
	}
	for key, value := range p.changed.puts {
		c.Put = append(c.Put, store.Entry{Key: key, Value: value})
	}
	p.flushAdded()
	p.flushAlerts(c)
	for key, value := range p.changed.appends {
		c.Append = append(c.Append, store.Entry{Key: key, Value: value})
	}
	c.Delete = slices.AppendSeq(c.Delete, maps.Keys(p.changed.deletes))
	refused := p.changed.refused
	p.changed.reset()
	c.State = p.Encode()
	return c, refused
}

// Discard forgets what has changed since the last Flush, and returns what was decided about alerts since then. It takes
// the place of Flush where nothing is stored: the caller keeps the accounts, and their ids in the order in which they
// were put. Between two messages only.
func (p *Partition) Discard() []*logv1.AlertRecord {
	decided := p.changed.alerts
	p.flushed = p.head.Cursor
	p.changed.reset()
	return decided
}

// flushAdded turns the ids of new accounts into chunks.
func (p *Partition) flushAdded() {
	at := p.Accounts - uint32(len(p.changed.added)) //nolint:gosec // counted in uint32
	for _, id := range p.changed.added {
		key := store.AccountsKey(at / ChunkSize)
		p.changed.appends[key] = wire.Append(p.changed.appends[key], id)
		at++
	}
}
