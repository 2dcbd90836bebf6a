package redis

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	// maxFlying is how many combined reads are under way at once. Few: what waits for them travels together.
	maxFlying = 2
	// maxCombined bounds the reads in one of them.
	maxCombined = 64
	// maxSmallRead is how many keys a read may have to be combined; larger ones would hold small ones up.
	maxSmallRead = 16
)

// combiner sends the small reads of many callers in one pipeline: most of what a read costs is the system calls of
// either side, and these are paid once for all. A read that finds nobody else goes at once, by itself.
type combiner struct {
	client redis.UniversalClient

	mu     sync.Mutex
	flying int
	queue  []*read
}

// read is one MGET.
type read struct {
	ctx    context.Context //nolint:containedctx // of the caller, for as long as it waits
	keys   []string
	values []any
	err    error
	done   chan struct{}
}

// mget reads keys of one slot, as of one instant.
func (c *combiner) mget(ctx context.Context, keys []string) ([]any, error) {
	if len(keys) > maxSmallRead {
		return c.client.MGet(ctx, keys...).Result() //nolint:wrapcheck // wrapped by the caller
	}
	c.mu.Lock()
	if c.flying < maxFlying {
		c.flying++
		c.mu.Unlock()
		defer c.land()
		return c.client.MGet(ctx, keys...).Result() //nolint:wrapcheck // wrapped by the caller
	}
	r := &read{ctx: ctx, keys: keys, done: make(chan struct{})}
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.values, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// land ends a flight, or starts the next one with what waits.
func (c *combiner) land() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.flying--
		return
	}
	n := min(len(c.queue), maxCombined)
	batch := c.queue[:n:n]
	c.queue = c.queue[n:]
	go c.fly(batch)
}

// fly reads for a batch of callers.
func (c *combiner) fly(batch []*read) {
	defer c.land()
	commands := make([]*redis.SliceCmd, 0, len(batch))
	waiting := batch[:0]
	for _, r := range batch {
		if r.ctx.Err() == nil { // nobody waits for the others
			waiting = append(waiting, r)
		}
	}
	if len(waiting) == 0 {
		return
	}
	// The trace is that of the first; the time is bounded by the client's own timeouts.
	ctx := context.WithoutCancel(waiting[0].ctx)
	// Every command has its own error, also that of a lost connection.
	_, _ = c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, r := range waiting {
			commands = append(commands, p.MGet(ctx, r.keys...))
		}
		return nil
	})
	for i, r := range waiting {
		r.values, r.err = commands[i].Result()
		close(r.done)
	}
}
