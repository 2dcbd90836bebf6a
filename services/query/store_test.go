package query_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/store"
)

// failing is a store that cannot be used.
type failing struct{ store.Store }

func (failing) Read(context.Context, int, ...string) (store.Head, [][]byte, error) {
	return store.Head{}, nil, errRepair
}

func (failing) Check(context.Context) error { return errRepair }

// replaced is a store that can lose everything while it is watched, as a Redis that fell back does.
type replaced struct {
	store.Store

	mu   sync.Mutex
	now  store.Store
	tell func(store.Change) error
}

func (r *replaced) current() store.Store {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.now
}

func (r *replaced) Read(ctx context.Context, partition int, keys ...string) (store.Head, [][]byte, error) {
	return r.current().Read(ctx, partition, keys...)
}

func (r *replaced) Watch(ctx context.Context, n int, f func(store.Change) error) error {
	r.mu.Lock()
	r.tell = f
	r.mu.Unlock()

	return r.Store.Watch(ctx, n, f)
}

// fallBack replaces the contents and tells the watcher.
func (r *replaced) fallBack(t *testing.T, to store.Store) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()

	r.now = to

	for n := range partitions {
		require.NoError(t, r.tell(store.Change{Partition: n, Lost: true}))
	}
}

func TestListsFollowAStoreThatFallsBack(t *testing.T) {
	t.Parallel()

	first := openMemory(t)
	r := &replaced{Store: first, now: first}
	w := start(t, r)

	for i := range 20 {
		w.score(home, accountID(i), noon(), 0, used(accountID(i)))
	}

	total := func() int32 {
		got, err := w.health().ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{})
		require.NoError(t, err)

		return got.GetTotalSize()
	}

	require.Eventually(t, func() bool { return total() == 20 }, patience, time.Millisecond)

	second := prepare(t, openMemory(t))
	for i := range 5 {
		second.score(home, accountID(i), noon(), 0, used(accountID(i)))
	}

	r.fallBack(t, second.store)
	require.Eventually(t, func() bool { return total() == 5 }, patience, time.Millisecond)
}
