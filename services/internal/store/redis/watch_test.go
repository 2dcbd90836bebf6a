package redis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// watched is a store with one watcher, which waits at the gate after each change it takes.
type watched struct {
	*redis.Store

	server *redistest.Server
	client *goredis.Client
	got    chan store.Change
	came   atomic.Int64 // changes at the gate, or through it
	passed int64
	head   store.Head
}

func newWatched(t *testing.T, args ...string) *watched {
	t.Helper()
	w := &watched{server: redistest.StartServer(t, args...), got: make(chan store.Change)}
	w.Store = open(t, redis.Options{URL: w.server.URL()})
	w.client = w.server.Client()
	t.Cleanup(func() { require.NoError(t, w.client.Close()) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- w.Watch(ctx, 2, func(c store.Change) error {
			w.came.Add(1)
			select {
			case w.got <- c:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	require.Equal(t, store.Change{Partition: 0, Lost: true}, w.next(t))
	require.Equal(t, store.Change{Partition: 1, Lost: true}, w.next(t))
	var err error
	w.head, err = w.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	return w
}

func (w *watched) next(t *testing.T) store.Change {
	t.Helper()
	select {
	case c := <-w.got:
		w.passed++
		c.Revision = 0 // storetest looks at it
		return c
	case <-time.After(patience):
		require.Fail(t, "no change arrived")
		return store.Change{}
	}
}

func (w *watched) commit(t *testing.T, n int) {
	t.Helper()
	for range n {
		require.NoError(t, w.Commit(t.Context(), step(w.head)))
		w.head.Cursor++
	}
}

func (w *watched) want(cursor uint64) store.Change {
	return store.Change{Epoch: w.head.Epoch, Cursor: cursor, Accounts: []string{fmt.Sprint(cursor)}}
}

// changes returns the stream of partition 0.
func (w *watched) changes(t *testing.T) string {
	t.Helper()
	keys, err := w.client.Keys(t.Context(), "*{0.*!changes").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	return keys[0]
}

func TestWatch(t *testing.T) {
	t.Parallel()
	t.Run("a restart of a durable server loses no change", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t, "--appendonly", "yes", "--appendfsync", "always")
		w.commit(t, 1)
		require.Equal(t, w.want(1), w.next(t))
		w.server.Kill()
		w.server.Start()
		require.Eventually(t, func() bool { return w.Check(t.Context()) == nil }, patience, 10*time.Millisecond)
		w.commit(t, 3)
		for cursor := uint64(2); cursor <= 4; cursor++ {
			require.Equal(t, w.want(cursor), w.next(t))
		}
	})
	t.Run("a restart of a server that forgets is Lost", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 5)
		for cursor := uint64(1); cursor <= 5; cursor++ {
			require.Equal(t, w.want(cursor), w.next(t))
		}
		w.server.Kill()
		w.server.Start()
		require.Equal(t, store.Change{Lost: true}, w.next(t))
	})
}

func TestWatchGaps(t *testing.T) {
	t.Parallel()
	t.Run("a watcher that is too slow gets Lost, then goes on", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 1)
		require.Eventually(t, func() bool { // the watcher holds the first change at its gate
			w.commit(t, 100)
			n, err := w.client.XLen(t.Context(), w.changes(t)).Result()
			return err == nil && n < int64(w.head.Cursor)-200
		}, patience, time.Microsecond)
		require.Equal(t, w.want(1), w.next(t))
		last, lost := uint64(1), 0
		for last < w.head.Cursor {
			c := w.next(t)
			require.Greater(t, c.Cursor, last)
			if c.Lost {
				lost++
			} else {
				require.Equal(t, w.want(last+1), c)
			}
			last = c.Cursor
		}
		require.Equal(t, 1, lost)
	})
	t.Run("entries that vanish before they are read are Lost", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		pause(t, w, func() {
			w.commit(t, 2)
			require.NoError(t, w.client.XTrimMaxLen(t.Context(), w.changes(t), 0).Err())
		})
		for {
			c := w.next(t)
			if c.Cursor == 2 {
				require.True(t, c.Lost)
				break
			}
		}
		w.commit(t, 1)
		require.Equal(t, w.want(3), w.next(t))
	})
	t.Run("a lost connection to a server with another past is Lost, though numbers go on", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 2)
		require.Equal(t, w.want(1), w.next(t))
		require.Equal(t, w.want(2), w.next(t))
		stream := w.changes(t)
		newest, err := w.client.XRevRangeN(t.Context(), stream, "+", "-", 1).Result()
		require.NoError(t, err)
		entry := []byte(newest[0].Values["d"].(string))
		entry[8]++ // the epoch: another owner wrote the second commit
		require.NoError(t, w.client.Del(t.Context(), stream).Err())
		require.NoError(t, w.client.XAdd(t.Context(), &goredis.XAddArgs{Stream: stream, ID: newest[0].ID, Values: []any{"d", entry}}).Err())
		require.NoError(t, w.client.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
		require.True(t, w.next(t).Lost)
		require.Eventually(t, func() bool { return w.Check(t.Context()) == nil }, patience, time.Millisecond)
		w.commit(t, 1)
		require.Equal(t, w.want(3), w.next(t))
	})
	t.Run("a lost connection alone is not", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 1)
		require.Equal(t, w.want(1), w.next(t))
		require.NoError(t, w.client.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
		require.Eventually(t, func() bool { return w.Check(t.Context()) == nil }, patience, time.Millisecond)
		w.commit(t, 1)
		require.Equal(t, w.want(2), w.next(t))
	})
	t.Run("a strange entry is Lost", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.commit(t, 1)
		require.Equal(t, w.want(1), w.next(t))
		require.NoError(t, w.client.XAdd(t.Context(), &goredis.XAddArgs{Stream: w.changes(t), Values: []string{"x", "y"}}).Err())
		require.True(t, w.next(t).Lost)
	})
}

// pause stops the delivery of changes by holding the watcher at its gate while f runs.
func pause(t *testing.T, w *watched, f func()) {
	t.Helper()
	h, err := w.Claim(t.Context(), 1, store.Lease{})
	require.NoError(t, err)
	c := step(h)
	c.Partition = 1
	require.NoError(t, w.Commit(t.Context(), c))
	require.Eventually(t, func() bool { return w.came.Load() > w.passed }, patience, time.Millisecond)
	f()
}

func TestClusterOfOne(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t, "--cluster-enabled", "yes")
	client := server.Client()
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.NoError(t, client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	require.Eventually(t, func() bool {
		info, err := client.ClusterInfo(t.Context()).Result()
		return err == nil && len(info) > 16 && info[:16] == "cluster_state:ok"
	}, patience, 10*time.Millisecond)
	s := open(t, redis.Options{URL: server.URL()})
	slots := map[int64]bool{}
	for p := range 16 {
		h, err := s.Claim(t.Context(), p, store.Lease{})
		require.NoError(t, err)
		c := step(h)
		c.Partition, c.Delete = p, []string{"{other}", "}", "{"}
		require.NoError(t, s.Commit(t.Context(), c))
		_, values, err := s.Read(t.Context(), p, "k1", "{other}", "log")
		require.NoError(t, err)
		require.NotNil(t, values[0])
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, k := range keys {
		slot, err := client.ClusterKeySlot(t.Context(), k).Result()
		require.NoError(t, err)
		slots[slot] = true
	}
	require.Len(t, slots, 16, "each partition has one slot of its own")
}
