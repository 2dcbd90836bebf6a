package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/store"
)

const (
	// leaseTTL is how long a lease holds that nobody renews: so long others wait after an owner was killed.
	leaseTTL = 3 * time.Second
	// renewAfter is how long after the last commit the lease of a quiet partition is renewed.
	renewAfter = leaseTTL / 3
	renewLook  = renewAfter / 4
	// releaseTimeout bounds the end of an owner.
	releaseTimeout = 2 * time.Second
	// checkEvery is how often an owner looks whether the store still keeps what it is given.
	checkEvery = 5 * time.Second
)

// renew keeps the leases of partitions that have nothing to commit. A process that the others cannot hear lets them end:
// it can read nothing either.
func (o *owner) renew(ctx context.Context) error {
	s := o.service
	if s.lease.Owner == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	return every(ctx, renewLook, func() error {
		if s.deps.Group != nil && !s.deps.Group.Connected() {
			return nil
		}
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(claimsAtOnce)
		for _, w := range o.workers {
			if s.uptime()-time.Duration(w.renewed.Load()) >= renewAfter {
				group.Go(func() error { return w.renew(groupCtx) })
			}
		}
		return group.Wait()
	})
}

// renew renews the lease of one partition. Only a fence is an error: a store that does not answer shows at a commit. A
// store that fell back would show at the next commit too, but a quiet partition has none for long: so it is looked for
// here.
func (w *worker) renew(ctx context.Context) error {
	s := w.service
	ctx, cancel := context.WithTimeout(ctx, leaseTTL)
	defer cancel()
	stored := w.storedRevision.Load()
	head, _, err := s.deps.Store.Read(ctx, w.number)
	if err == nil && (head.Epoch != w.epoch || head.Generation != w.generation || head.Revision < stored) {
		return fmt.Errorf("looking at partition %d, which is quiet: %w", w.number, store.ErrFenced)
	}
	if err == nil {
		err = s.deps.Store.Renew(ctx, w.number, w.epoch, s.lease)
	}
	if errors.Is(err, store.ErrFenced) {
		return fmt.Errorf("renewing the lease of partition %d: %w", w.number, err)
	}
	if err != nil {
		s.deps.Logger.DebugContext(ctx, "a lease cannot be renewed now", "partition", w.number, "error", err)
		return nil
	}
	w.renewed.Store(int64(s.uptime()))
	return nil
}

// release ends the leases of partitions that are handed over, and tells whoever waits for them.
func (s *Service) release(ctx context.Context, stream int, heads map[int]store.Head) {
	if s.lease.Owner == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = s.each(ctx, stream, func(ctx context.Context, p int) error { // it returns nil, as its function does
		head, claimed := heads[p]
		if !claimed {
			return nil
		}
		if err := s.deps.Store.Release(ctx, p, head.Epoch); err != nil && !errors.Is(err, store.ErrFenced) {
			s.deps.Logger.WarnContext(ctx, "a lease cannot be released: it ends by itself", "partition", p, "error", err)
		}
		return nil
	})
	if s.deps.Group != nil {
		s.deps.Group.Tell()
	}
}

// check looks whether the store still keeps what it is given: a setting may be changed under way.
func (o *owner) check(ctx context.Context) error {
	return every(ctx, o.service.cfg.checkEvery, func() error {
		err := o.service.deps.Store.Check(ctx)
		if alarm := (*AlarmError)(nil); err != nil && errors.As(o.service.refusal(err), &alarm) {
			return alarm
		}
		return nil
	})
}
