package memory

import (
	"context"
	"time"

	"hale.dev/services/internal/store"
)

// grant renews the lease; a zero one changes nothing.
func (p *part) grant(l store.Lease) {
	if l.Owner == "" {
		return
	}
	p.lease, p.until = l, time.Now().Add(l.TTL)
}

// held returns the lease that holds now, with what is left of it; no Owner: none does.
func (p *part) held() store.Lease {
	left := time.Until(p.until)
	if p.lease.Owner == "" || left <= 0 {
		return store.Lease{}
	}
	l := p.lease
	l.TTL = left
	return l
}

func (p *part) claim(l store.Lease) (store.Head, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held := p.held(); l.Owner != "" && held.Owner != "" && held.Owner != l.Owner {
		return store.Head{}, &store.HeldError{Lease: held}
	}
	p.grant(l)
	p.head.Epoch++
	if p.draft != nil {
		p.draft.head.Epoch = p.head.Epoch
	}
	p.changed = true
	return p.head, nil
}

// Renew implements store.Store.
func (s *Store) Renew(ctx context.Context, partition int, epoch uint64, l store.Lease) error {
	p, err := s.open(ctx, partition, "renewing the lease of")
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.ErrFenced
	}
	p.grant(l)
	return nil
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, partition int, epoch uint64) error {
	p, err := s.open(ctx, partition, "releasing")
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.ErrFenced
	}
	p.lease = store.Lease{}
	return nil
}

// Inspect implements store.Store.
func (s *Store) Inspect(ctx context.Context, partition int) (store.Status, error) {
	p, err := s.open(ctx, partition, "looking at")
	if err != nil {
		return store.Status{}, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	status := store.Status{Head: p.head, Lease: p.held()}
	if p.draft != nil {
		head := p.draft.head
		status.Draft = &head
	}
	return status, nil
}
