package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

const (
	patience = 20 * time.Second
	pollTick = 5 * time.Millisecond
)

// Option adds what not every engine can show.
type Option func(*suite)

// FallBack names a way to make a store lose everything it keeps while it is open.
func FallBack(f func(t *testing.T, s store.Store)) Option {
	return func(u *suite) { u.fallBack = f }
}

type suite struct {
	open     func(t *testing.T) store.Store
	fallBack func(t *testing.T, s store.Store)
}

// Run runs the suite. Open makes an empty store that is closed when the test ends.
func Run(t *testing.T, open func(t *testing.T) store.Store, options ...Option) {
	t.Helper()
	u := &suite{open: open}
	for _, o := range options {
		o(u)
	}
	t.Run("head", u.testHead)
	t.Run("fence", u.testFence)
	t.Run("values", u.testValues)
	t.Run("reset", u.testReset)
	t.Run("lease", u.testLease)
	t.Run("draft", u.testDraft)
	t.Run("watch", u.testWatch)
	t.Run("model", u.testModel)
	t.Run("life", u.testLife)
}

// claim claims a partition and returns its head.
func claim(t require.TestingT, s store.Store, partition int) store.Head {
	h, err := s.Claim(context.Background(), partition, store.Lease{})
	require.NoError(t, err)
	return h
}

// next returns a commit that follows h and moves the cursor by one.
func next(partition int, h store.Head) *store.Commit {
	return &store.Commit{
		Partition: partition, Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1, State: h.State,
		Revision: h.Revision,
	}
}

// apply commits c and returns the head that must be stored then.
func apply(t require.TestingT, s store.Store, c *store.Commit) store.Head {
	require.NoError(t, s.Commit(context.Background(), c))
	return store.Head{Epoch: c.Epoch, Generation: c.Generation, Cursor: c.Cursor, State: c.State, Revision: c.Revision + 1}
}

// read returns head and values.
func read(t require.TestingT, s store.Store, partition int, keys ...string) (store.Head, [][]byte) {
	h, values, err := s.Read(context.Background(), partition, keys...)
	require.NoError(t, err)
	require.Len(t, values, len(keys))
	return h, values
}
