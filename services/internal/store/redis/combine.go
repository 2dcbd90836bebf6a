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

// combiners are a combiner for each server, so that one that is slow holds up only those who read from it.
type combiners struct {
	servers *servers

	mu sync.RWMutex
	of map[string]*combiner // by address
}

// mget reads keys of one slot, as of one instant.
func (c *combiners) mget(ctx context.Context, keys []string) ([]any, error) {
	if len(keys) > maxSmallRead {
		return alone(ctx, c.servers, keys)
	}
	node, err := c.servers.master(ctx, keys[0])
	if err != nil {
		return nil, err
	}
	return c.at(node.Options().Addr).mget(ctx, keys)
}

func (c *combiners) at(addr string) *combiner {
	c.mu.RLock()
	one := c.of[addr]
	c.mu.RUnlock()
	if one != nil {
		return one
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]*combiner{}
	}
	if c.of[addr] == nil {
		c.of[addr] = &combiner{client: c.servers}
	}
	return c.of[addr]
}

// combiner sends the small reads of many callers in one pipeline: most of what a read costs is the system calls of
// either side, and these are paid once for all. A read that finds nobody else goes at once, by itself.
type combiner struct {
	client redis.UniversalClient // of all servers: a slot may have moved

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

// newMGet makes the command.
func newMGet(ctx context.Context, keys []string) *redis.SliceCmd {
	args := make([]any, 1, 1+len(keys))
	args[0] = "mget"
	for i := range keys {
		args = append(args, &keys[i]) // a pointer needs no allocation
	}
	cmd := redis.NewSliceCmd(ctx, args...)
	cmd.SetFirstKeyPos(1)
	return cmd
}

// alone sends one read.
func alone(ctx context.Context, p processor, keys []string) ([]any, error) {
	cmd := newMGet(ctx, keys)
	_ = p.Process(ctx, once{cmd}) // the command keeps the error
	return cmd.Result()           //nolint:wrapcheck // wrapped by the caller
}

func (c *combiner) mget(ctx context.Context, keys []string) ([]any, error) {
	c.mu.Lock()
	if c.flying < maxFlying {
		c.flying++
		c.mu.Unlock()
		defer c.land()
		return alone(ctx, c.client, keys)
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
			cmd := newMGet(ctx, r.keys)
			commands = append(commands, cmd)
			_ = p.Process(ctx, once{cmd}) // only queues it
		}
		return nil
	})
	for i, r := range waiting {
		r.values, r.err = commands[i].Result()
		close(r.done)
	}
}
