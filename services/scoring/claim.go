package scoring

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// claimsAtOnce bounds the partitions of a stream that are claimed and opened beside each other.
const claimsAtOnce = 8

// partitions returns those of a stream.
func (s *Service) partitions(stream int) []int {
	var all []int
	layout := s.deps.Log.Layout()
	for p := range layout.Partitions {
		if layout.Stream(p) == stream {
			all = append(all, p)
		}
	}
	return all
}

// each calls f for every partition of a stream, several at once, and returns the first error. Where only one may be
// under way no goroutine is begun.
func (s *Service) each(ctx context.Context, stream int, f func(ctx context.Context, partition int) error) error {
	if s.cfg.claimsAtOnce == 1 {
		for _, p := range s.partitions(stream) {
			if err := f(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.cfg.claimsAtOnce)
	for _, p := range s.partitions(stream) {
		group.Go(func() error { return f(ctx, p) })
	}
	return group.Wait() //nolint:wrapcheck // f has wrapped
}

// claim takes the partitions of a stream over: it raises their epochs, so that any other owner is fenced. If one is
// held by another owner it returns *store.HeldError.
func (s *Service) claim(ctx context.Context, stream int) (map[int]store.Head, error) {
	if err := s.deps.Store.Check(ctx); err != nil {
		return nil, s.refusal(err)
	}
	heads := map[int]store.Head{}
	var mu sync.Mutex
	err := s.each(ctx, stream, func(ctx context.Context, p int) error {
		head, err := s.deps.Store.Claim(ctx, p, s.lease)
		if held := (*store.HeldError)(nil); errors.As(err, &held) && held.Lease.Deployment != s.lease.Deployment {
			return alarmf(codeForeignDeployment, "partition %d is scored by %s, of another deployment (log %s): "+
				"give each deployment a Redis of its own", p, held.Lease.Owner, held.Lease.Deployment)
		}
		if err != nil {
			return fmt.Errorf("claiming partition %d: %w", p, err)
		}
		mu.Lock()
		defer mu.Unlock()
		heads[p] = head
		return nil
	})
	return heads, err
}

// refusal turns the store's word that it is set up wrongly into an alarm.
func (s *Service) refusal(err error) error {
	if store.HasReason(err, store.ReasonEvictingPolicy) || store.HasReason(err, store.ReasonReadOnly) {
		return &AlarmError{Code: codeStoreRefused, Why: err.Error()}
	}
	return fmt.Errorf("checking the store: %w", err)
}

// open checks every claimed partition against the log and loads its own state.
func (o *owner) open(ctx context.Context, heads map[int]store.Head, condemned condemned) error {
	s := o.service
	info, err := s.deps.Log.Info(ctx, o.stream)
	if err != nil {
		return fmt.Errorf("asking for stream %d: %w", o.stream, err)
	}
	marks, err := s.readMarks(ctx, o.stream)
	if err != nil {
		return err
	}
	o.workers, o.end = map[int]*worker{}, info.Last
	var mu sync.Mutex
	err = s.each(ctx, o.stream, func(ctx context.Context, p int) error {
		g := &guard{service: s, stream: o.stream, partition: p, info: info, mark: marks.of(p)}
		head, err := g.examine(ctx, heads[p])
		if err != nil {
			return err
		}
		w, err := s.openPartition(ctx, o.stream, p, head, g.identity(), condemned)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if len(o.workers) == 0 || w.start+1 < o.from {
			o.from = w.start + 1
		}
		o.workers[p] = w
		return nil
	})
	return err
}

// openPartition makes the worker of a partition that goes on from a head.
func (s *Service) openPartition(
	ctx context.Context, stream, number int, head store.Head, identity string, condemned condemned,
) (*worker, error) {
	w, err := s.newWorker(stream, number, head, identity, condemned, false)
	if err != nil {
		return nil, err
	}
	if w.pressed, err = s.deps.Pressure.Raised(ctx, pressureName(number)); err != nil {
		return nil, fmt.Errorf("asking whether partition %d is pressed: %w", number, err)
	}
	if err := w.loadPartition(ctx); err != nil {
		return nil, err
	}
	if s.deps.Alerts != nil {
		w.outbox = newOutbox(w)
	}
	return w, nil
}

func (s *Service) newWorker(
	stream, number int, head store.Head, identity string, condemned condemned, draft bool,
) (*worker, error) {
	partition, err := fold.NewPartition(fold.Options{
		Number: number, Shipped: scorecard.Shipped(), Parse: s.cfg.parse, MaxIDs: s.cfg.MaxMessageIDs,
		Muted: draft || s.deps.Alerts == nil,
	}, head)
	if err != nil {
		return nil, fmt.Errorf("opening partition %d: %w", number, err)
	}
	partition.Stream = identity
	condemned.tell(partition, number)
	w := &worker{
		service: s, stream: stream, number: number, start: head.Cursor, partition: partition,
		epoch: head.Epoch, generation: head.Generation, cursor: head.Cursor,
		accounts: newCache(s.cacheLimit), in: make(chan order, queued), done: make(chan error, 1),
		draft: draft,
	}
	w.renewed.Store(int64(s.uptime()))
	w.storedCursor.Store(head.Cursor)
	w.storedRevision.Store(head.Revision)
	return w, nil
}

// loadPartition reads what the fold keeps beside the accounts.
func (w *worker) loadPartition(ctx context.Context) error {
	if keys := w.partition.LoadKeys(); len(keys) > 0 {
		values, err := w.read(ctx, keys...)
		if err != nil {
			return fmt.Errorf("reading the state of partition %d: %w", w.number, err)
		}
		if err := w.partition.Load(values); err != nil {
			return fmt.Errorf("loading partition %d: %w", w.number, err)
		}
	}
	if !w.behind() {
		w.sentSettled = w.start
		w.settled.Store(w.start)
	}
	w.logTime.Store(w.partition.LogTime)
	w.due.Store(w.partition.NextTimer())
	return nil
}

// identityOf names the stream that a state is folded from: the log, the stream's number, and when it was made.
func identityOf(layout eventlog.Layout, stream int, info eventlog.StreamInfo) string {
	return layout.Identity(stream, info)
}
