package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
)

// Heads reads how far the scores in redis-server are.
type Heads struct {
	store      store.Store
	partitions int
}

// Totals are the counts of all partitions together.
type Totals struct{ Counted, Duplicates, Rejected, Accounts uint64 }

// Heads opens the cluster's store for reading.
func (c *Cluster) Heads(ctx context.Context) (*Heads, error) {
	return OpenHeads(ctx, "redis://"+c.RedisAddr, c.partitions)
}

// OpenHeads opens the store behind a URL for reading.
func OpenHeads(ctx context.Context, url string, partitions int) (*Heads, error) {
	s, err := redis.Open(ctx, redis.Options{URL: url})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", url, err)
	}
	return &Heads{store: s, partitions: partitions}, nil
}

// Totals reads the counts of all partitions.
func (h *Heads) Totals(ctx context.Context) (Totals, error) {
	var t Totals
	for p := range h.partitions {
		head, _, err := h.store.Read(ctx, p)
		if err != nil {
			return t, fmt.Errorf("reading the head of partition %d: %w", p, err)
		}
		state, err := fold.DecodeState(head.State)
		if err != nil {
			return t, fmt.Errorf("reading the state of partition %d: %w", p, err)
		}
		t.Counted += state.Counted
		t.Duplicates += state.Duplicates
		t.Rejected += state.Rejected
		t.Accounts += uint64(state.Accounts)
	}
	return t, nil
}

// Store is what Heads reads from.
func (h *Heads) Store() store.Store { return h.store }

// Close closes the store.
func (h *Heads) Close() { _ = h.store.Close() }

// Clear removes all that the cluster has written; nothing may run.
func (c *Cluster) Clear() {
	for _, d := range []string{"nats", "redis", "data"} {
		_ = os.RemoveAll(filepath.Join(c.Dir, d))
	}
}
