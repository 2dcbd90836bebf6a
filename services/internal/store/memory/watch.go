package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"hale.dev/services/internal/store"
)

// A watcher that falls this far behind loses its place in the partitions that wait.
const (
	maxWaiting         = 4096      // changes
	maxWaitingAccounts = 1_000_000 // ids named by them
)

// watcher queues changes for one call of Watch. Commits never wait for it.
type watcher struct {
	wake chan struct{} // holds one token when the queue has something

	mu       sync.Mutex
	queue    []store.Change
	accounts int
}

func (w *watcher) add(c store.Change) {
	w.mu.Lock()
	w.queue = append(w.queue, c)
	w.accounts += len(c.Accounts)
	if len(w.queue) > maxWaiting || w.accounts > maxWaitingAccounts {
		w.collapse()
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// collapse replaces all that waits by one Lost for each partition, at its newest place.
func (w *watcher) collapse() {
	last := map[int]store.Change{}
	for _, c := range w.queue {
		c.Accounts, c.Lost = nil, true
		last[c.Partition] = c
	}
	kept := make([]store.Change, 0, len(last))
	for _, c := range last {
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b store.Change) int { return a.Partition - b.Partition })
	w.queue, w.accounts = kept, 0
}

func (w *watcher) take() []store.Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.queue
	w.queue, w.accounts = nil, 0
	return q
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, partitions int, f func(store.Change) error) error {
	w := &watcher{wake: make(chan struct{}, 1)}
	for n := range partitions {
		p, err := s.part(n)
		if err != nil {
			return err
		}
		head := p.attach(w)
		defer p.detach(w)
		first := store.Change{
			Partition: n, Epoch: head.Epoch, Generation: head.Generation, Cursor: head.Cursor, Revision: head.Revision,
			Lost: true,
		}
		if err := f(first); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("watching changes: %w", context.Cause(ctx))
		case <-s.stop:
			return errClosed()
		case <-w.wake:
		}
		for _, c := range w.take() {
			if err := f(c); err != nil {
				return err
			}
		}
	}
}

func (p *part) attach(w *watcher) store.Head {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers = append(slices.Clip(p.watchers), w)
	return p.head
}

func (p *part) detach(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers = slices.DeleteFunc(slices.Clone(p.watchers), func(x *watcher) bool { return x == w })
}
