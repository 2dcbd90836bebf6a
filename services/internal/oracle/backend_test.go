package oracle_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// backend is a partition of a store as the engine needs it.
type backend interface {
	// claim takes the partition as a process does that has just begun.
	claim() store.Head
	read(keys ...string) [][]byte
	commit(c *store.Commit)
	// fallBack loses the latest commits, if the store can do that.
	fallBack()
	close()
}

// table is a store that is a map.
type table struct {
	t      require.TestingT
	values map[string][]byte
	head   store.Head
	older  *table // as it was before the last commits
}

func newTable(t require.TestingT) *table { return &table{t: t, values: map[string][]byte{}} }

func (b *table) claim() store.Head { return b.head }

func (b *table) read(keys ...string) [][]byte {
	var values [][]byte
	for _, key := range keys {
		values = append(values, b.values[key])
	}
	return values
}

func (b *table) commit(c *store.Commit) {
	require.Equal(b.t, b.head.Cursor, c.From)
	if c.Cursor%3 == 0 {
		b.older = &table{values: maps.Clone(b.values), head: b.head}
	}
	for _, entry := range c.Put {
		b.values[entry.Key] = slices.Clone(entry.Value)
	}
	for _, entry := range c.Append {
		b.values[entry.Key] = append(slices.Clone(b.values[entry.Key]), entry.Value...)
	}
	for _, key := range c.Delete {
		delete(b.values, key)
	}
	b.head.Cursor, b.head.State = c.Cursor, slices.Clone(c.State)
}

func (b *table) fallBack() {
	if b.older != nil {
		b.values, b.head, b.older = b.older.values, b.older.head, nil
	}
}

func (b *table) close() {}

// engineStore is a real store, opened anew at every claim.
type engineStore struct {
	t         require.TestingT
	partition int
	open      func() (store.Store, error)
	store     store.Store
	head      store.Head
}

func (b *engineStore) claim() store.Head {
	b.close()
	var err error
	b.store, err = b.open()
	require.NoError(b.t, err)
	b.head, err = b.store.Claim(context.Background(), b.partition, store.Lease{})
	require.NoError(b.t, err)
	return b.head
}

func (b *engineStore) read(keys ...string) [][]byte {
	head, values, err := b.store.Read(context.Background(), b.partition, keys...)
	require.NoError(b.t, err)
	require.Equal(b.t, b.head.Epoch, head.Epoch)
	return values
}

func (b *engineStore) commit(c *store.Commit) {
	c.Partition = b.partition
	require.NoError(b.t, b.store.Commit(context.Background(), c))
}

func (b *engineStore) fallBack() {}

func (b *engineStore) close() {
	if b.store != nil {
		require.NoError(b.t, b.store.Close())
		b.store = nil
	}
}

// inMemory makes partitions of memory stores, each with files of its own.
func inMemory(t *testing.T) func(require.TestingT) backend {
	t.Helper()
	return func(rt require.TestingT) backend {
		dir := t.TempDir()
		return &engineStore{t: rt, partition: 5, open: func() (store.Store, error) {
			return memory.Open(memory.Options{Dir: dir})
		}}
	}
}

// inRedis makes partitions of Redis stores, each with keys of its own on the same server.
func inRedis(t *testing.T) func(require.TestingT) backend {
	t.Helper()
	server := redistest.StartServer(t)
	cases := 0
	return func(rt require.TestingT) backend {
		cases++
		prefix := "case" + strconv.Itoa(cases) + ":"
		return &engineStore{t: rt, partition: 5, open: func() (store.Store, error) {
			return redis.Open(context.Background(), redis.Options{URL: server.URL(), Prefix: prefix})
		}}
	}
}
