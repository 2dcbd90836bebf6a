package query

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// progress knows up to which log sequence each partition is there, and lets readers wait for one. Readers are woken
// by the change that they wait for and by no other.
type progress struct {
	parts   []place
	waiting atomic.Int64
}

// place is how far one partition is.
type place struct {
	mu     sync.Mutex
	cursor uint64
	queue  []*waiter
}

// waiter is a reader that waits for a sequence.
type waiter struct {
	sequence uint64
	reached  chan struct{}
}

func newProgress(partitions int) *progress { return &progress{parts: make([]place, partitions)} }

// set says how far a partition is. It may fall back.
func (p *progress) set(partition int, cursor uint64) {
	at := &p.parts[partition]

	at.mu.Lock()
	defer at.mu.Unlock()

	at.cursor = cursor
	at.queue = slices.DeleteFunc(at.queue, func(w *waiter) bool {
		if w.sequence > cursor {
			return false
		}

		close(w.reached)

		return true
	})
}

// wait returns when the partition is there, or with the cause that ended ctx.
func (p *progress) wait(ctx context.Context, partition int, sequence uint64) error {
	at := &p.parts[partition]

	at.mu.Lock()
	if at.cursor >= sequence {
		at.mu.Unlock()

		return nil
	}

	w := &waiter{sequence: sequence, reached: make(chan struct{})}
	at.queue = append(at.queue, w)
	at.mu.Unlock()

	p.waiting.Add(1)
	defer p.waiting.Add(-1)

	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		at.mu.Lock()
		defer at.mu.Unlock()

		at.queue = slices.DeleteFunc(at.queue, func(x *waiter) bool { return x == w })

		return context.Cause(ctx)
	}
}

// anybody reports whether somebody waits.
func (p *progress) anybody() bool { return p.waiting.Load() > 0 }
