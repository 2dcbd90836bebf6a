package redis

import (
	"context"
	"fmt"
	"time"

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

// send sends a commit, again only after answers that say that nothing was done.
func (s *Store) send(ctx context.Context, c *store.Commit) error {
	args := s.args(c)
	var done int64
	err := s.insist(ctx, false, func() (err error) {
		done, err = s.scripts.commit.runArgs(ctx, s.servers, args).Int64()
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("committing %d values to partition %d: %w", len(c.Put)+len(c.Append), c.Partition, s.outcome(err))
	}
	if done == 0 {
		return store.ErrFenced
	}
	return nil
}

// args makes the script's arguments; commit.lua says their order. The first two are set by runArgs.
func (s *Store) args(c *store.Commit) []any {
	n := s.keys.of(c.Partition)
	head, change, keep := n.head, []byte(nil), 0
	if c.Draft {
		head = n.draft
	} else {
		change = packChange(c.Changed)
		keep = keepChanges(len(change))
	}
	lease, millis := packLease(c.Lease)
	keys := physical(n.at(c.Generation), c)
	args := make([]any, 2, 15+2*len(keys))
	args = append(args, len(keys)+3, head, n.changes, n.lease)
	for i := range keys {
		args = append(args, &keys[i]) // a pointer needs no allocation
	}
	args = append(args,
		expected(c), guard(c.Epoch, c.Generation, c.Cursor),
		packState(c.State), change, keep, lease, millis, len(c.Put), len(c.Append))
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
