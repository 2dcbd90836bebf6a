package scoring

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
)

const (
	// copyAccounts is how many accounts, with all their history, one read of a copy asks for.
	copyAccounts = 128
	// copyKeys is how many other keys it asks for.
	copyKeys = 512
	// lastKeys is how many keys may be left for the moment in which the partition stands still, copyRounds how often
	// the copy runs after what changes before it lets the partition wait for more.
	lastKeys   = 1000
	copyRounds = 8
)

// at calls f on the worker's goroutine, when all that it was given before is committed and nothing is under way. When it
// returns f has ended, or will never be called.
func (w *worker) at(ctx context.Context, f func() error) error {
	var begun atomic.Bool
	done := make(chan error, 1)
	err := w.give(ctx, order{committed: func() error {
		if begun.CompareAndSwap(false, true) {
			done <- f()
		}
		return nil
	}})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		if begun.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-done
	}
}

// copier writes all values of a partition as of one cursor while it is scored on: it copies everything, then what
// changed meanwhile, again and again, and the last little in a moment in which the partition stands still.
type copier struct {
	w   *worker
	out *snapshot.Writer
}

// copyTo writes the partition into a snapshot and returns what the snapshot stands for.
func (w *worker) copyTo(ctx context.Context, out *snapshot.Writer) (snapshot.Meta, error) {
	c := &copier{w, out}
	var state fold.State
	var fixed []string
	err := w.at(ctx, func() error {
		w.written = map[string]struct{}{}
		state, fixed = w.partition.State, w.partition.CopyKeys()
		return nil
	})
	if err != nil {
		return snapshot.Meta{}, err
	}
	defer func() { // also where ctx has ended: then the worker ends too
		_ = w.at(ctx, func() error { w.written = nil; return nil })
	}()
	if err := c.everything(ctx, state, fixed); err != nil {
		return snapshot.Meta{}, err
	}
	for range copyRounds {
		keys, err := c.changed(ctx)
		if err != nil {
			return snapshot.Meta{}, err
		}
		if err := c.again(ctx, keys); err != nil {
			return snapshot.Meta{}, err
		}
		if len(keys) <= lastKeys {
			break
		}
	}
	var meta snapshot.Meta
	err = w.at(ctx, func() error {
		meta = w.meta()
		return c.again(ctx, slices.Collect(maps.Keys(w.written)))
	})
	return meta, err
}

// meta is what a snapshot stands for that is finished now. On the worker's goroutine only.
func (w *worker) meta() snapshot.Meta {
	p := w.partition
	return snapshot.Meta{
		Stream: p.Stream, Cursor: p.Cursor(), Generation: w.generation, LogTime: p.LogTime, LastTime: p.LastTime,
		LastHash: p.LastHash, State: p.Encode(), Version: w.service.cfg.Version, Rules: int(p.Rules), //nolint:gosec // small
	}
}

// changed returns the keys that were written since it was last asked.
func (c *copier) changed(ctx context.Context) (keys []string, err error) {
	err = c.w.at(ctx, func() error {
		keys = slices.Collect(maps.Keys(c.w.written))
		c.w.written = map[string]struct{}{}
		return nil
	})
	return keys, err
}

// everything copies all values that there were at the start.
func (c *copier) everything(ctx context.Context, state fold.State, fixed []string) error {
	if err := c.again(ctx, fixed); err != nil {
		return err
	}
	today := health.DayOf(state.LogTime)
	for first := uint32(0); first < state.Accounts; first += fold.ChunkSize {
		key := store.AccountsKey(first / fold.ChunkSize)
		values, err := c.read(ctx, key)
		if err != nil {
			return err
		}
		if err := c.put(key, values[0]); err != nil {
			return err
		}
		ids, err := fold.DecodeChunk(values[0])
		if err != nil {
			return fmt.Errorf("reading account ids %d: %w", first/fold.ChunkSize, err)
		}
		for some := range slices.Chunk(ids, copyAccounts) {
			if err := c.accounts(ctx, some, today); err != nil {
				return err
			}
		}
	}
	return nil
}

// accounts copies accounts with their parts and history.
func (c *copier) accounts(ctx context.Context, ids []string, today health.Day) error {
	var keys []string
	for _, id := range ids {
		keys = append(keys, store.AccountKey(id))
	}
	values, err := c.read(ctx, keys...)
	if err != nil {
		return err
	}
	var more []string
	for i, id := range ids {
		if err := c.put(keys[i], values[i]); err != nil {
			return err
		}
		more = append(more, fold.HistoryKeys(id, today)...)
		if values[i] == nil {
			continue
		}
		parts, err := health.Parts(values[i])
		if err != nil {
			return fmt.Errorf("reading account %q: %w", id, err)
		}
		for _, n := range parts {
			more = append(more, store.PartKey(id, n))
		}
	}
	for some := range slices.Chunk(more, copyKeys) {
		values, err := c.read(ctx, some...)
		if err != nil {
			return err
		}
		for i, key := range some {
			if err := c.put(key, values[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// again copies what keys hold now, or that they hold nothing any more.
func (c *copier) again(ctx context.Context, keys []string) error {
	for some := range slices.Chunk(keys, copyKeys) {
		values, err := c.read(ctx, some...)
		if err != nil {
			return err
		}
		for i, key := range some {
			if values[i] == nil {
				err = c.out.Remove(key)
			} else {
				err = c.out.Put(key, values[i])
			}
			if err != nil {
				return fmt.Errorf("writing a snapshot: %w", err)
			}
		}
	}
	return nil
}

// put writes a value, if there is one.
func (c *copier) put(key string, value []byte) error {
	if value == nil {
		return nil
	}
	if err := c.out.Put(key, value); err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	return nil
}

// read reads values of the state that this owner commits to.
func (c *copier) read(ctx context.Context, keys ...string) ([][]byte, error) {
	head, values, err := c.w.service.deps.Store.Read(ctx, c.w.number, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading %d values of partition %d: %w", len(keys), c.w.number, err)
	}
	if head.Epoch != c.w.epoch || head.Generation != c.w.generation {
		return nil, store.ErrFenced
	}
	return values, nil
}
