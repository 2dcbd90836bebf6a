package eventlog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// call is one Write that waits for its units.
type call struct {
	span trace.SpanContext
	done chan struct{}
	// abandoned is set when nobody waits any more.
	abandoned atomic.Bool

	mu     sync.Mutex
	open   int // units not finished
	places []place
	err    error // the first
}

// finish ends one unit of the call.
func (c *call) finish(partition int, seq uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.open--

	switch {
	case err == nil:
		c.places = append(c.places, place{partition: partition, sequence: seq})
	case c.err == nil:
		c.err = err
	}

	if c.open == 0 {
		close(c.done)
	}
}

// result is what Write returns once done is closed.
func (c *call) result(layout Layout) (Token, error) {
	if c.err != nil {
		return Token{}, c.err
	}

	return Token{layout: layout.ID, places: latest(c.places)}, nil
}

// unit is what one call writes to one partition: it goes into a batch as a whole.
type unit struct {
	call      *call
	partition int
	// data are encoded records, without the head of a batch. It lives in a pooled buffer until free.
	data    *[]byte
	size    int
	records int
	// deadline is when the caller has to have an answer.
	deadline time.Time
	// next part of the same call and partition, to be sent once this one is acknowledged.
	next *unit
}

// bufferPool keeps buffers of encoded records and of batches between uses.
var bufferPool = sync.Pool{New: func() any { //nolint:gochecknoglobals // a pool holds no state
	b := make([]byte, 0, 4<<10)

	return &b
}}

// maxPooled keeps rare large buffers out of the pool.
const maxPooled = 512 << 10

func takeBuffer() *[]byte {
	b := bufferPool.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	*b = (*b)[:0]

	return b
}

func giveBuffer(b *[]byte) {
	if b != nil && cap(*b) <= maxPooled {
		bufferPool.Put(b)
	}
}

// free gives the unit's buffer back. The unit is of no use after it.
func (u *unit) free() {
	giveBuffer(u.data)
	u.data = nil
}

// release frees units that are not sent, with all their parts.
func release(units []*unit) {
	for _, u := range units {
		for part := u; part != nil; part = part.next {
			part.free()
		}
	}
}

// encode sorts the items by partition into units and encodes them, in the caller's goroutine.
func (w *Writer) encode(c *call, items []Item) ([]*unit, error) {
	deadline := time.Now().Add(w.options.AckTimeout)

	var first, last []*unit // of each partition touched, in the order of the first touch

	byPartition := make(map[int]int, min(len(items), w.log.layout.Partitions))

	for i, item := range items {
		if item.Partition < 0 || item.Partition >= w.log.layout.Partitions || item.Record == nil {
			release(first)

			return nil, fmt.Errorf("%w: item %d has partition %d of %d, or no record",
				ErrLayout, i, item.Partition, w.log.layout.Partitions)
		}

		at, found := byPartition[item.Partition]
		if !found {
			at = len(first)
			byPartition[item.Partition] = at
			u := &unit{call: c, partition: item.Partition, data: takeBuffer(), deadline: deadline}
			first, last = append(first, u), append(last, u)
		}

		next, err := last[at].add(item, w.limit)
		if err != nil {
			release(first)

			return nil, fmt.Errorf("item %d: %w", i, err)
		}

		last[at] = next
	}

	c.open = len(first)

	return first, nil
}

// add encodes an item at the end of the unit, and cuts where a message would grow beyond limit: then it returns
// the part that follows.
func (u *unit) add(item Item, limit int) (*unit, error) {
	before := len(*u.data)

	grown, err := appendRecord(*u.data, item.Record)
	if err != nil {
		return nil, err
	}

	*u.data = grown
	size := len(grown) - before

	switch {
	case size+batchHead > limit:
		return nil, fmt.Errorf("%w: %d bytes encoded, %d at most", ErrTooLarge, size, limit-batchHead)
	case len(grown)+batchHead <= limit:
		u.size, u.records = len(grown), u.records+1

		return u, nil
	}

	u.next = &unit{
		call: u.call, partition: u.partition, data: takeBuffer(), size: size, records: 1, deadline: u.deadline,
	}
	*u.next.data = append(*u.next.data, grown[before:]...)
	*u.data = grown[:before]

	return u.next, nil
}
