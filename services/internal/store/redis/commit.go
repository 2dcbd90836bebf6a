package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// Commit implements store.Store. It is one script call.
func (s *Store) Commit(ctx context.Context, c *store.Commit) error {
	if err := ctx.Err(); err != nil { // nothing was sent
		return fmt.Errorf("committing to partition %d: %w", c.Partition, err)
	}
	start := time.Now()
	err := s.send(ctx, c)
	s.metrics.Committed(ctx, time.Since(start), err)
	return err
}

func (s *Store) send(ctx context.Context, c *store.Commit) error {
	args := s.args(c)
	done, err := s.eval(ctx, args, s.commit.Hash(), "evalsha")
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") { // the server is new, and did nothing
		done, err = s.eval(ctx, args, commitSource, "eval")
	}
	if err != nil {
		return fmt.Errorf("committing %d values to partition %d: %w", len(c.Put)+len(c.Append), c.Partition, outcome(err))
	}
	if done == 0 {
		return store.ErrFenced
	}
	return nil
}

func (s *Store) eval(ctx context.Context, args []any, script, command string) (int64, error) {
	args[0], args[1] = command, script
	cmd := redis.NewCmd(ctx, args...)
	_ = s.writes.Process(ctx, cmd) // the command keeps the error
	return cmd.Int64()             //nolint:wrapcheck // its callers tell by it what to do
}

// args makes the script's arguments; commit.lua says their order. The first two are set by eval.
func (s *Store) args(c *store.Commit) []any {
	n := s.keys.of(c.Partition)
	change := packChange(c.Changed)
	keys := physical(n.at(c.Generation), c)
	args := make([]any, 2, 12+2*len(keys))
	args = append(args, len(keys)+2, n.head, n.changes)
	for i := range keys {
		args = append(args, &keys[i]) // a pointer needs no allocation
	}
	args = append(args,
		guard(c.Epoch, c.Generation, c.From), guard(c.Epoch, c.Generation, c.Cursor),
		packState(c.State), change, keepChanges(len(change)), len(c.Put), len(c.Append))
	for i := range c.Put {
		args = append(args, c.Put[i].Value)
	}
	for i := range c.Append {
		args = append(args, c.Append[i].Value)
	}
	return args
}

// physical returns the keys to put, to append to and to delete, in this order.
func physical(in *space, c *store.Commit) []string {
	size, count := 0, len(c.Put)+len(c.Append)+len(c.Delete)
	for i := range c.Put {
		size += len(c.Put[i].Key)
	}
	for i := range c.Append {
		size += len(c.Append[i].Key)
	}
	for _, k := range c.Delete {
		size += len(k)
	}
	var a arena
	a.grow(size+count*len(in.value), count)
	for i := range c.Put {
		a.add(in.value, c.Put[i].Key)
	}
	for i := range c.Append {
		a.add(in.value, c.Append[i].Key)
	}
	for _, k := range c.Delete {
		a.add(in.value, k)
	}
	return a.strings()
}
