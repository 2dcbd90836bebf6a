package eventlog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// lane is the way of one stream's records from their callers to the server. It decides when the units that wait
// for a partition become a batch:
//
//   - at once, if the partition sent nothing for a gather time: an idle log answers fast;
//   - else when a gather time has passed since its last batch, or a whole batch waits;
//   - and never while as many batches are in flight as may be: then what waits grows.
type lane struct {
	w      *Writer
	stream int
	wake   chan struct{}

	mu       sync.Mutex
	settledC *sync.Cond
	queues   map[int]*queue // by partition
	order    []*queue       // those with units, the longest waiting first
	inFlight int
	draining bool // no more gathering
	aborted  bool
}

// queue holds the units that wait for one partition.
type queue struct {
	partition int
	units     []*unit
	bytes     int
	sent      time.Time
}

func newLane(w *Writer, stream int) *lane {
	l := &lane{w: w, stream: stream, wake: make(chan struct{}, 1), queues: map[int]*queue{}}
	l.settledC = sync.NewCond(&l.mu)

	return l
}

// push adds a unit at the end of its partition's queue.
func (l *lane) push(u *unit) {
	if !l.enqueue(u) {
		l.w.finish(u, 0, ErrClosed)

		return
	}

	l.signal()
}

// enqueue is false once the lane was aborted.
func (l *lane) enqueue(u *unit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.aborted {
		return false
	}

	q := l.queues[u.partition]
	if q == nil {
		q = &queue{partition: u.partition}
		l.queues[u.partition] = q
	}

	if len(q.units) == 0 {
		l.order = append(l.order, q)
	}

	q.units = append(q.units, u)
	q.bytes += u.size

	return true
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run sends batches until ctx ends.
func (l *lane) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()

	for {
		next, wait := l.next(time.Now())
		if next != nil {
			l.w.publisher.publish(next)

			continue
		}

		timer.Reset(wait)

		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// next takes the batch that is due, or says how long to wait for one unless woken.
func (l *lane) next(now time.Time) (*batch, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()

	wait := time.Hour
	if l.inFlight >= l.w.options.InFlight {
		return nil, wait // settled wakes
	}

	for i, q := range l.order {
		due := q.sent.Add(l.w.options.Gather).Sub(now)
		if due > 0 && q.bytes < l.w.options.BatchBytes && !l.draining {
			wait = min(wait, due)

			continue
		}

		copy(l.order[i:], l.order[i+1:])
		l.order = l.order[:len(l.order)-1]
		b := l.cut(q, now)

		if len(q.units) > 0 {
			l.order = append(l.order, q)
		}

		l.inFlight++

		return b, 0
	}

	return nil, wait
}

// cut makes a batch of the first units of a queue: up to the size of a batch, but at least one.
func (l *lane) cut(q *queue, now time.Time) *batch {
	n, size := 0, 0
	for n < len(q.units) && (n == 0 || size+q.units[n].size <= l.w.options.BatchBytes-batchHead) {
		size += q.units[n].size
		n++
	}

	b := &batch{stream: l.stream, partition: q.partition, units: make([]*unit, n), born: now, deadline: q.units[0].deadline}
	copy(b.units, q.units)
	q.drop(n)
	q.sent = now

	return b
}

// drop takes the first n units off the queue.
func (q *queue) drop(n int) {
	for _, u := range q.units[:n] {
		q.bytes -= u.size
	}

	rest := copy(q.units, q.units[n:])
	clear(q.units[rest:])
	q.units = q.units[:rest]
}

// expire fails the units whose time is up before they could be sent, and those for which nobody waits any more:
// sending them would only hold up the others.
func (l *lane) expire(now time.Time) {
	l.mu.Lock()

	var over []*unit

	waiting := l.order[:0]

	for _, q := range l.order {
		n := 0
		for n < len(q.units) && (now.After(q.units[n].deadline) || q.units[n].call.abandoned.Load()) {
			n++
		}

		over = append(over, q.units[:n]...)
		q.drop(n)

		if len(q.units) > 0 {
			waiting = append(waiting, q)
		}
	}

	clear(l.order[len(waiting):])
	l.order = waiting
	l.settledC.Broadcast()
	l.mu.Unlock()

	for _, u := range over {
		u.free()
		l.w.finish(u, 0, fmt.Errorf("%w: not even sent within %s", ErrUnavailable, l.w.options.AckTimeout))
	}
}

// settled is told that a batch of this lane is no longer in flight.
func (l *lane) settled() {
	l.mu.Lock()
	l.inFlight--
	l.settledC.Broadcast()
	l.mu.Unlock()
	l.signal()
}

// drain ends the gathering, and returns when nothing waits and nothing is in flight, or the lane was aborted.
func (l *lane) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.draining = true
	l.signal()

	for !l.aborted && (l.inFlight > 0 || len(l.order) > 0) {
		l.settledC.Wait()
	}
}

// abort fails what still waits.
func (l *lane) abort() {
	l.mu.Lock()

	var left []*unit

	for _, q := range l.order {
		left = append(left, q.units...)
	}

	l.order, l.aborted = nil, true
	l.settledC.Broadcast()
	l.mu.Unlock()

	for _, u := range left {
		u.free()
		l.w.finish(u, 0, ErrClosed)
	}
}

// batch is one message under way.
type batch struct {
	stream, partition int
	units             []*unit
	// born is when it was cut, deadline when its first unit's time is up.
	born, deadline time.Time
	// first is when it first went to the server, sent when it last did (zero: not yet), tries how often.
	first, sent time.Time
	tries       uint64
	// retry is when to send it again, because the server did not take it; zero: no such reason.
	retry time.Time
	// epoch counts the connection's reconnects before it was last sent.
	epoch uint64
	// fresh is set until it is about to be sent for the first time, which is not for resend to do.
	fresh bool
	// sending is set while the connection reads data, which must not be given back then; ended once it is settled.
	sending, ended bool
	// data is the payload in a pooled buffer, kept until the batch is settled.
	data    *[]byte
	records int
}

// build makes the payload and gives the units' buffers back.
func (b *batch) build() {
	b.data = takeBuffer()
	payload := appendHead(*b.data)

	for _, u := range b.units {
		payload = append(payload, *u.data...)
		b.records += u.records
		u.free()
	}

	*b.data = payload
}

// span is the trace context of the first call that is traced and kept, else of the first that has one.
func (b *batch) span() trace.SpanContext {
	var first trace.SpanContext

	for _, u := range b.units {
		switch span := u.call.span; {
		case span.IsSampled():
			return span
		case span.IsValid() && !first.IsValid():
			first = span
		}
	}

	return first
}
