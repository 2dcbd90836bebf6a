package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Item is one record for the log.
type Item struct {
	// Partition of the record: Layout.Partition of its account.
	Partition int
	// Record to write. It is encoded before Write returns, and not kept.
	Record *logv1.Record
}

// Writer gathers the records of many callers into batches, one message for each, and returns to every caller when
// the server has acknowledged all of its records (group commit). Safe for concurrent use.
//
// The records that one Write brings for one partition travel together in one message, so a retry cannot change
// their order. Only if they exceed a message (1 MiB) are they cut, and then each part waits for the one before.
type Writer struct {
	log       *Log
	options   WriterOptions
	lanes     []*lane
	publisher *publisher
	metrics   *writerMetrics
	// limit of a batch in bytes.
	limit int

	queued atomic.Int64
	closed atomic.Bool
	// open counts calls that are under way, for Close.
	open sync.WaitGroup
	// guard keeps open from growing once closed is set.
	guard sync.RWMutex

	stop func()
	done sync.WaitGroup
}

// NewWriter starts a writer; Close ends it. A writer that cannot subscribe to its acknowledgements (the
// connection is closed) answers every Write with ErrUnavailable.
func (l *Log) NewWriter(o WriterOptions) *Writer {
	options := o.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	w := &Writer{log: l, options: options, stop: cancel, limit: l.batchLimit()}
	w.options.BatchBytes = min(w.options.BatchBytes, w.limit)
	w.metrics = newWriterMetrics(l, w)
	w.publisher = newPublisher(l, options, w.metrics, w.settle)
	w.lanes = make([]*lane, l.layout.Streams)

	for i := range w.lanes {
		w.lanes[i] = newLane(w, i)

		w.done.Go(func() { w.lanes[i].run(ctx) })
	}

	w.done.Go(func() { w.publisher.resend(ctx) })
	w.done.Go(func() { w.sweep(ctx) })
	w.done.Go(func() { w.watchFill(ctx) })

	return w
}

// headerRoom is left in a message for its headers.
const headerRoom = 8 << 10

// batchLimit is the largest batch that a message can carry.
func (l *Log) batchLimit() int {
	limit := maxMessageBytes
	if server := l.conn.MaxPayload(); server > 0 {
		limit = min(limit, int(server))
	}

	return max(limit-headerRoom, batchHead+1)
}

// Write returns when the server has acknowledged all items, or with the first error, within AckTimeout: ErrFull, ErrBusy,
// ErrTooLarge and ErrClosed, or ErrUnavailable and the context's error, after which some or all of the items may
// be in the log. The caller writes all of them again; what is in the log twice counts once, by message id.
// Items of one partition keep their order. Records of concurrent calls have no order among them.
func (w *Writer) Write(ctx context.Context, items []Item) (Token, error) {
	if err := ctx.Err(); err != nil {
		return Token{}, fmt.Errorf("writing to the log: %w", err)
	}

	if len(items) == 0 {
		return Token{}, nil
	}

	if !w.enter() {
		return Token{}, ErrClosed
	}
	defer w.open.Done()

	if w.queued.Load() >= w.options.QueueBytes {
		return Token{}, w.metrics.refuse(ctx, ErrBusy)
	}

	call := &call{span: trace.SpanContextFromContext(ctx), done: make(chan struct{})}

	units, err := w.encode(call, items)
	if err != nil {
		return Token{}, w.metrics.refuse(ctx, err)
	}

	if err := w.admit(units); err != nil {
		return Token{}, w.metrics.refuse(ctx, err)
	}

	select {
	case <-call.done:
		return call.result(w.log.layout)
	case <-ctx.Done():
		call.abandoned.Store(true)

		return Token{}, fmt.Errorf("waiting for the log: %w", ctx.Err())
	}
}

// enter begins a call; false: the writer is closed.
func (w *Writer) enter() bool {
	w.guard.RLock()
	defer w.guard.RUnlock()

	if w.closed.Load() {
		return false
	}

	w.open.Add(1)

	return true
}

// admit hands the units to their lanes, or none of them if the queue has no room.
func (w *Writer) admit(units []*unit) error {
	var size int64

	for _, u := range units {
		for part := u; part != nil; part = part.next {
			size += int64(part.size)
		}
	}

	if !w.reserve(size) {
		release(units)

		return ErrBusy
	}

	for _, u := range units {
		w.lanes[w.log.layout.Stream(u.partition)].push(u)
	}

	return nil
}

// sweepPeriod is how often timeouts and retries are looked for.
const sweepPeriod = 50 * time.Millisecond

// sweep gives up on what took too long, until ctx ends. It takes no lock that a slow connection may hold, so that
// callers hear in time whatever happens.
func (w *Writer) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepPeriod)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			w.publisher.expire(now)

			for _, lane := range w.lanes {
				lane.expire(now)
			}
		}
	}
}

// reserve takes room in the queue; false: there is not so much. What is queued never exceeds the bound, not even for a
// moment.
func (w *Writer) reserve(size int64) bool {
	for {
		queued := w.queued.Load()
		if queued+size > w.options.QueueBytes {
			return false
		}

		if w.queued.CompareAndSwap(queued, queued+size) {
			return true
		}
	}
}

// settle is told by the publisher what became of a batch.
func (w *Writer) settle(b *batch, seq uint64, err error) {
	now := time.Now()
	w.metrics.settled(b, now, err)

	for _, u := range b.units {
		w.finish(u, seq, err)
	}

	w.lanes[b.stream].settled()
}

// finish ends one unit: its caller hears, unless a next part has to go first.
func (w *Writer) finish(u *unit, seq uint64, err error) {
	w.queued.Add(-int64(u.size))

	if u.next != nil && err == nil {
		w.lanes[w.log.layout.Stream(u.partition)].push(u.next)

		return
	}

	for part := u.next; part != nil; part = part.next {
		w.queued.Add(-int64(part.size))
		part.free()
	}

	u.call.finish(u.partition, seq, err)
}

// Close refuses new writes, waits until the server has answered for the old ones, and ends the writer. When ctx
// ends first, what is still under way fails with ErrClosed.
func (w *Writer) Close(ctx context.Context) error {
	w.guard.Lock()
	first := w.closed.CompareAndSwap(false, true)
	w.guard.Unlock()

	if !first {
		return nil
	}

	idle := make(chan struct{})

	go func() {
		for _, lane := range w.lanes {
			lane.drain()
		}

		w.open.Wait()
		close(idle)
	}()

	var err error

	select {
	case <-idle:
	case <-ctx.Done():
		err = fmt.Errorf("draining the log's writer: %w", ctx.Err())
	}

	w.stop()
	w.done.Wait()

	closed := w.publisher.close()

	for _, lane := range w.lanes {
		lane.abort()
	}

	return errors.Join(err, closed, w.metrics.close())
}
