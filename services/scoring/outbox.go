package scoring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

const (
	// outboxAtOnce is how many entries of an outbox are read and told together.
	outboxAtOnce = 64
	// outboxPatience bounds how long an owner that ends in order goes on telling.
	outboxPatience = 2 * time.Second
	// outboxTry bounds one try.
	outboxTry                   = 10 * time.Second
	outboxFirstRest, outboxRest = 50 * time.Millisecond, 10 * time.Second
	outboxLook                  = 10 * time.Millisecond
	outboxAlarmRest, outboxUnit = 30 * time.Second, time.Second
	// outboxCurrent is how long an entry may wait where all is well.
	outboxCurrent = 5 * time.Second
)

// outbox takes what a partition's commits put into the store to the ALERTS stream, beside the worker. It reads it from
// there, so it holds nothing in memory but a few entries, and what is not committed by this owner is not told. A nil
// outbox tells nobody.
type outbox struct {
	w *worker
	// more gets a token when a commit has put something into the outbox, news when something is told.
	more, news chan struct{}
	// ended is closed when run has returned.
	ended chan struct{}

	mu sync.Mutex
	// next is the entry that is told next, end the one after the last in the store, last the sequence in ALERTS up to
	// which all before next is told.
	next, end, last uint64
	// since is when the oldest entry that is not told was stored, by the steady clock; zero: there is none.
	since time.Time
	// alarmed is when an alarm was raised last, by the steady clock.
	alarmed time.Time
}

func newOutbox(w *worker) *outbox {
	o := &outbox{
		w: w, more: make(chan struct{}, 1), news: make(chan struct{}, 1), ended: make(chan struct{}),
		next: w.partition.OutboxFirst, end: w.partition.OutboxFirst, last: w.partition.AlertsLast,
	}
	o.stored(w.partition.OutboxNext)
	return o
}

// stored says that the store has all entries before one.
func (o *outbox) stored(end uint64) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if end <= o.end {
		return
	}
	o.end = end
	if o.since.IsZero() {
		o.since = o.w.service.cfg.steady()
	}
	poke(o.more)
}

// told gets a token when there is something for note.
func (o *outbox) told() <-chan struct{} {
	if o == nil {
		return nil
	}
	return o.news
}

// note tells the fold what is told, so that the next commit removes it. On the worker's goroutine only.
func (o *outbox) note(p *fold.Partition) {
	next, _, last := o.place()
	p.Published(next, last)
}

func (o *outbox) place() (next, end, last uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.next, o.end, o.last
}

// run tells what is there, and then what comes, until ctx ends or another owner has the partition.
func (o *outbox) run(ctx context.Context) error {
	defer close(o.ended)
	rest := outboxFirstRest
	for {
		done, err := o.step(ctx)
		var wait <-chan time.Time
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, store.ErrFenced):
			return fmt.Errorf("reading the outbox of partition %d: %w", o.w.number, err)
		case err != nil:
			o.failed(ctx, err)
			wait = time.After(rest)
			rest = min(2*rest, outboxRest) // doubles
		default:
			rest = outboxFirstRest
		}
		o.measure(ctx)
		if err == nil && !done {
			continue
		}
		more := o.more
		if err != nil {
			more = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		case <-wait:
		}
	}
}

// step tells the next entries; done says that there are no more.
func (o *outbox) step(ctx context.Context) (done bool, err error) {
	next, end, last := o.place()
	if next == end {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, outboxTry)
	defer cancel()
	upTo := min(end, next+outboxAtOnce)
	records, err := o.read(ctx, next, upTo)
	if err != nil {
		return false, err
	}
	last, err = o.w.service.deps.Alerts.Append(ctx, o.w.number, last, records)
	if err != nil {
		return false, fmt.Errorf("publishing %d records: %w", len(records), err)
	}
	o.w.service.metrics.alerts(ctx, len(records))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next, o.last = upTo, last
	o.since = time.Time{}
	if o.next < o.end {
		o.since = o.w.service.cfg.steady()
	}
	poke(o.news)
	return o.next == o.end, nil
}

// read reads entries of the outbox, which only an owner that is not fenced can.
func (o *outbox) read(ctx context.Context, from, to uint64) ([]*logv1.AlertRecord, error) {
	keys := make([]string, 0, to-from)
	for n := from; n < to; n++ {
		keys = append(keys, store.OutboxKey(n))
	}
	head, values, err := o.w.service.deps.Store.Read(ctx, o.w.number, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading %d entries of the outbox: %w", len(keys), err)
	}
	if head.Epoch != o.w.epoch || head.Generation != o.w.generation {
		return nil, store.ErrFenced
	}
	var all []*logv1.AlertRecord
	for i, value := range values {
		entry := &logv1.AlertRecords{}
		if err := proto.Unmarshal(value, entry); value == nil || err != nil {
			o.w.service.raise(ctx, o.w.number, alarmf(codeAlertLost, "entry %d of the outbox: present %t: %v",
				from+uint64(i), value != nil, err), "what was decided about alerts cannot be told: it is passed over")
			continue
		}
		all = append(all, entry.GetRecords()...)
	}
	return all, nil
}

// failed tells that entries wait.
func (o *outbox) failed(ctx context.Context, err error) {
	s := o.w.service
	if !errors.Is(err, alertlog.ErrFull) && !errors.Is(err, alertlog.ErrMalformed) {
		s.deps.Logger.WarnContext(ctx, "alerts wait to be published", "partition", o.w.number, "error", err)
		return
	}
	now := s.cfg.steady()
	if !o.alarmed.IsZero() && now.Sub(o.alarmed) < outboxAlarmRest {
		return
	}
	o.alarmed = now
	code := codeAlertsFull
	if errors.Is(err, alertlog.ErrMalformed) {
		code = codeAlertLost
	}
	s.raise(ctx, o.w.number, alarmf(code, "%v", err), "alerts are kept until they can be published")
}

// measure tells how many entries wait, and how long the oldest has.
func (o *outbox) measure(ctx context.Context) {
	next, end, _ := o.place()
	o.w.service.metrics.outbox(ctx, o.w.number, end-next, o.age())
}

// age is for how long the oldest entry has waited, or nearly so.
func (o *outbox) age() time.Duration {
	if o == nil {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return 0
	}
	return o.w.service.cfg.steady().Sub(o.since)
}

// empty tells what is left, for a moment, when run has ended or is about to.
func (o *outbox) empty(ctx context.Context) {
	<-o.ended
	ctx, cancel := context.WithTimeout(ctx, outboxPatience)
	defer cancel()
	for rest := outboxFirstRest; ; rest = min(2*rest, outboxUnit) { // doubles
		done, err := o.step(ctx)
		if done || errors.Is(err, store.ErrFenced) {
			return
		}
		if err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			o.w.service.deps.Logger.WarnContext(ctx, "alerts are left for the next owner to publish",
				"partition", o.w.number, "error", err)
			return
		case <-time.After(rest):
		}
	}
}

// await waits until all is told that the store has.
func (o *outbox) await(ctx context.Context) error {
	if o == nil {
		return nil
	}
	ticker := time.NewTicker(outboxLook)
	defer ticker.Stop()
	for {
		if next, end, _ := o.place(); next == end {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until the alerts of partition %d are published: %w", o.w.number, ctx.Err())
		case <-ticker.C:
		}
	}
}

// mute keeps a draft from telling again what the live state has told, or will. What only the draft decides, since the
// live state stands still, it tells itself.
func (w *worker) mute(sequence uint64) {
	if w.live == nil {
		return
	}
	w.partition.Mute(w.live.outbox == nil || sequence <= w.live.settled.Load())
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
