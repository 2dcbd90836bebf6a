package trial

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/wire"
)

// watched is a store of two partitions that a view follows.
type watched struct {
	*memory.Store

	view *view
	head [2]store.Head
	ids  [2][]byte
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	s, err := memory.Open(memory.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &watched{Store: s, view: newView(s, 2)}
	for p := range w.head {
		w.head[p], err = s.Claim(t.Context(), p, store.Lease{})
		require.NoError(t, err)
	}
	return w
}

// commit writes an account; told says whether the change names it.
func (w *watched) commit(t *testing.T, p int, account, value string, told bool) {
	t.Helper()
	h := &w.head[p]
	id := store.Account("w", account)
	c := &store.Commit{
		Partition: p, Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1,
		Put: []store.Entry{{Key: store.AccountKey(id), Value: []byte(value)}},
	}
	if !contains(w.ids[p], id) {
		w.ids[p] = wire.Append(w.ids[p], id)
		c.Put = append(c.Put, store.Entry{Key: store.AccountsKey(0), Value: w.ids[p]})
	}
	if told {
		c.Changed = []string{id}
	}
	require.NoError(t, w.Commit(t.Context(), c))
	h.Cursor++
}

func contains(chunk []byte, id string) bool {
	for rest := string(chunk); rest != ""; {
		one, after, ok := wire.Cut(rest)
		if !ok || one == id {
			return ok
		}
		rest = after
	}
	return false
}

func (w *watched) follow(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.view.watch(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func (w *watched) wrong(t *testing.T) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, rig.Until(ctx, func() error { return w.view.caughtUp(ctx) }))
	wrong, err := w.view.compare(ctx)
	require.NoError(t, err)
	return wrong
}

func TestView(t *testing.T) {
	t.Parallel()
	t.Run("a view that is told everything holds what the store holds", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 0, "before", "1", true)
		w.follow(t)
		for i := range 300 {
			w.commit(t, i%2, fmt.Sprint("account-", i%40), fmt.Sprint("value ", i), true)
		}
		require.Empty(t, w.wrong(t))
		require.NotEmpty(t, w.view.parts[0].values)
		require.NotEmpty(t, w.view.parts[1].values)
	})
	t.Run("a change that names too little shows", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 0, "kept", "1", true)
		w.commit(t, 0, "silent", "1", true)
		w.follow(t)
		require.Empty(t, w.wrong(t))
		w.commit(t, 0, "silent", "2", false)
		require.Len(t, w.wrong(t), 1)
		w.commit(t, 0, "unheard of", "1", false)
		require.Len(t, w.wrong(t), 3, "its value differs, and the number of accounts")
	})
	t.Run("a partition that begins anew is read anew", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 0, "old", "1", true)
		w.follow(t)
		require.Empty(t, w.wrong(t))
		var err error
		w.head[0], err = w.Reset(t.Context(), 0, w.head[0].Epoch)
		require.NoError(t, err)
		w.ids[0] = nil
		w.commit(t, 0, "new", "2", true)
		require.Eventually(t, func() bool { return len(w.wrong(t)) == 0 }, 10*time.Second, 10*time.Millisecond)
		require.Len(t, w.view.parts[0].values, 1)
	})
}
