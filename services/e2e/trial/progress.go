package trial

import (
	"context"
	"slices"
	"sync"
	"time"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/internal/store"
)

// gap is a time in which nothing new of a partition was counted.
type gap struct{ from, to time.Time }

// takeover is the first commit of a partition after its epoch has risen.
type takeover struct {
	partition int
	at        time.Time
}

// progress looks at the store's heads again and again.
type progress struct {
	mu sync.Mutex
	// gaps of single partitions, and those in which no partition moved.
	gaps, all []gap
	takeovers []takeover
	last      time.Time // of any partition
}

const (
	lookEvery = 200 * time.Millisecond
	lookFor   = time.Second
	// shortGap is not worth keeping.
	shortGap = time.Second
)

// follow looks until ctx ends.
func (p *progress) follow(ctx context.Context, s store.Store, partitions int) {
	p.last = time.Now()
	var all sync.WaitGroup
	for n := range partitions {
		all.Go(func() { p.followOne(ctx, s, n) })
	}
	all.Wait()
}

func (p *progress) followOne(ctx context.Context, s store.Store, partition int) {
	moved, most, epoch := time.Now(), uint64(0), uint64(0)
	risen := false
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		reading, cancel := context.WithTimeout(ctx, lookFor)
		head, _, err := s.Read(reading, partition)
		cancel()
		if err != nil {
			continue // no progress that anybody could see
		}
		if head.Epoch != epoch {
			risen, epoch = epoch != 0, head.Epoch
		}
		if head.Cursor <= most {
			continue
		}
		now := time.Now()
		p.moved(partition, gap{moved, now}, risen)
		moved, most, risen = now, head.Cursor, false
	}
}

func (p *progress) moved(partition int, g gap, taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.to.Sub(g.from) >= shortGap {
		p.gaps = append(p.gaps, g)
	}
	if g.to.Sub(p.last) >= shortGap {
		p.all = append(p.all, gap{p.last, g.to})
	}
	p.last = g.to
	if taken {
		p.takeovers = append(p.takeovers, takeover{partition, g.to})
	}
}

// longest is the longest of the gaps that a fault has a part in. Of two faults at a time both get it.
func longest(gaps []gap, d *fault.Done) time.Duration {
	var most time.Duration
	for _, g := range gaps {
		if g.from.Before(d.Whole) && g.to.After(d.Begun) {
			most = max(most, g.to.Sub(g.from))
		}
	}
	return most
}

// failovers are the times from kills of scoring processes to the first commits of others' in their stead.
func (p *progress) failovers(done []fault.Done) []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []time.Duration
	for _, d := range done {
		if d.Class != fault.KillScoring {
			continue
		}
		for _, t := range p.takeovers {
			if t.at.After(d.Begun) && t.at.Before(d.Whole) {
				all = append(all, t.at.Sub(d.Begun))
			}
		}
	}
	slices.Sort(all)
	return all
}
