package redis_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// fillValues commits n values, v0 to v<n-1>, to a partition in the generation of h.
func fillValues(t *testing.T, s store.Store, partition int, h store.Head, n int) store.Head {
	t.Helper()
	c := &store.Commit{
		Partition: partition, Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1, State: []byte("state"),
		Revision: h.Revision,
	}
	for i := range n {
		c.Put = append(c.Put, store.Entry{Key: fmt.Sprint("v", i), Value: fmt.Append(nil, h.Generation)})
	}
	require.NoError(t, s.Commit(t.Context(), c))
	h.Cursor, h.State, h.Revision = c.Cursor, c.State, h.Revision+1
	return h
}

// values counts the values that a reader sees, and requires that they are of the head's generation.
func values(t *testing.T, s store.Store, partition, n int) (store.Head, int) {
	t.Helper()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("v", i)
	}
	h, got, err := s.Read(t.Context(), partition, keys...)
	require.NoError(t, err)
	seen := 0
	for _, v := range got {
		if v != nil {
			require.Equal(t, fmt.Append(nil, h.Generation), v)
			seen++
		}
	}
	return h, seen
}

func claimed(t *testing.T, s store.Store, partition int) store.Head {
	t.Helper()
	h, err := s.Claim(t.Context(), partition, store.Lease{})
	require.NoError(t, err)
	return h
}

func renewed(t *testing.T, s store.Store, partition int, h store.Head) store.Head {
	t.Helper()
	h, err := s.Reset(t.Context(), partition, h.Epoch)
	require.NoError(t, err)
	return h
}

// empties waits until the server holds no more than so many keys.
func empties(t *testing.T, c *goredis.Client, keys int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		n, err := c.DBSize(t.Context()).Result()
		return err == nil && n == keys
	}, patience, 5*time.Millisecond)
}

func clientOf(t *testing.T, server *redistest.Server) *goredis.Client {
	t.Helper()
	c := server.Client()
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// weak opens a store whose user may do everything but remove keys, so that no sweep comes to its end.
func weak(t *testing.T, server *redistest.Server, c *goredis.Client) *redis.Store {
	t.Helper()
	require.NoError(t, c.Do(t.Context(), "ACL", "SETUSER", "weak", "on", ">secret", "~*", "&*", "+@all", "-unlink").Err())
	return open(t, redis.Options{URL: "redis://weak:secret@" + server.Addr()})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	t.Run("values of earlier generations disappear, all others stay", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, c := open(t, redis.Options{URL: server.URL()}), clientOf(t, server)
		const n = 3000
		heads := map[int]store.Head{}
		for p := range 3 {
			heads[p] = fillValues(t, s, p, claimed(t, s, p), n)
		}
		for range 3 {
			for p := range 2 {
				heads[p] = fillValues(t, s, p, renewed(t, s, p, heads[p]), n)
			}
		}
		empties(t, c, 3*(n+2)+2) // head and changes of each, the last generation of those that were reset, no mark
		for p := range 3 {
			got, seen := values(t, s, p, n)
			require.Equal(t, heads[p], got)
			require.Equal(t, n, seen)
		}
		renewed(t, s, 0, heads[0])
		empties(t, c, 3*2+2+2*n)
	})
	t.Run("a prefix is no pattern", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		c := clientOf(t, server)
		odd := open(t, redis.Options{URL: server.URL(), Prefix: `t*[a-z]?\:`})
		other := open(t, redis.Options{URL: server.URL(), Prefix: `txbc\:`})
		for _, s := range []*redis.Store{odd, other} {
			fillValues(t, s, 0, claimed(t, s, 0), 10)
		}
		renewed(t, odd, 0, claimed(t, odd, 0))
		empties(t, c, 12+3)
		_, seen := values(t, other, 0, 10)
		require.Equal(t, 10, seen)
	})
	t.Run("a reader with an old place finds the new generation", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, reader := open(t, redis.Options{URL: server.URL()}), open(t, redis.Options{URL: server.URL()})
		h := fillValues(t, s, 0, claimed(t, s, 0), 10)
		for range 3 {
			got, seen := values(t, reader, 0, 10)
			require.Equal(t, h, got)
			require.Equal(t, 10, seen)
			h = fillValues(t, s, 0, renewed(t, s, 0, h), 10)
		}
	})
}

func TestSweepCutOff(t *testing.T) {
	t.Parallel()
	t.Run("what a sweep left is not seen, and the next owner removes it", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		c := clientOf(t, server)
		first := weak(t, server, c)
		const n = 1500
		h := renewed(t, first, 0, fillValues(t, first, 0, claimed(t, first, 0), n))
		require.NoError(t, first.Close())
		empties(t, c, n+4)
		second := open(t, redis.Options{URL: server.URL()})
		got, seen := values(t, second, 0, n)
		require.Equal(t, h, got)
		require.Zero(t, seen)
		fillValues(t, second, 0, claimed(t, second, 0), 5)
		empties(t, c, 5+3)
		_, seen = values(t, second, 0, n)
		require.Equal(t, 5, seen)
	})
	t.Run("a sweep that was refused goes on when it may", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		c := clientOf(t, server)
		s := weak(t, server, c)
		renewed(t, s, 0, fillValues(t, s, 0, claimed(t, s, 0), 100))
		empties(t, c, 100+4)
		require.NoError(t, c.Do(t.Context(), "ACL", "SETUSER", "weak", "+unlink").Err())
		empties(t, c, 3)
	})
	t.Run("a server killed in the middle of a sweep shows one generation whole", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t, redistest.Durable()...)
		s, c := open(t, redis.Options{URL: server.URL()}), clientOf(t, server)
		const n = 6000
		h := fillValues(t, s, 0, claimed(t, s, 0), n)
		for range 4 {
			fresh := renewed(t, s, 0, h)
			server.Kill() // while the sweep is on its way; the server may lose the reset, with all that followed it
			server.Start()
			require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, patience, 10*time.Millisecond)
			got, seen := values(t, s, 0, n)
			if got.Generation == fresh.Generation || got.Cursor == 0 { // before the values were filled in again
				require.Zero(t, seen)
			} else {
				require.Equal(t, h, got)
				require.Equal(t, n, seen, "the generation is live again")
			}
			h = fillValues(t, s, 0, claimed(t, s, 0), n)
		}
		empties(t, c, n+4) // and the note that the file is whole
	})
}

// sketch commits n values, v0 to v<n-1>, to a new draft of a partition.
func sketch(t *testing.T, s store.Store, partition int, h store.Head, n int) store.Head {
	t.Helper()
	d, err := s.BeginDraft(t.Context(), partition, h.Epoch)
	require.NoError(t, err)
	c := &store.Commit{Partition: partition, Epoch: d.Epoch, Generation: d.Generation, Cursor: 1, Draft: true}
	for i := range n {
		c.Put = append(c.Put, store.Entry{Key: fmt.Sprint("v", i), Value: fmt.Append(nil, d.Generation)})
	}
	require.NoError(t, s.Commit(t.Context(), c))
	d.Cursor, d.Revision = 1, 1
	return d
}

func TestSweepDrafts(t *testing.T) {
	t.Parallel()
	const n = 1500
	t.Run("values of drafts that were given up disappear, those of the last one stay", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, c := open(t, redis.Options{URL: server.URL()}), clientOf(t, server)
		h := fillValues(t, s, 0, claimed(t, s, 0), n)
		sketch(t, s, 0, h, n) // given up by beginning another
		sketch(t, s, 0, h, n)
		require.NoError(t, s.DropDraft(t.Context(), 0, h.Epoch))
		d := sketch(t, s, 0, h, n)
		empties(t, c, 2*n+4) // head, changes, last, draft
		got, seen := values(t, s, 0, n)
		require.Equal(t, h, got)
		require.Equal(t, n, seen)
		published, err := s.Publish(t.Context(), 0, h.Epoch, d.Generation)
		require.NoError(t, err)
		empties(t, c, n+3)
		got, seen = values(t, s, 0, n)
		require.Equal(t, published, got)
		require.Equal(t, n, seen)
	})
	t.Run("the next owner removes what an aborted draft left", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		c := clientOf(t, server)
		first := weak(t, server, c)
		h := fillValues(t, first, 0, claimed(t, first, 0), n)
		sketch(t, first, 0, h, n)
		require.NoError(t, first.DropDraft(t.Context(), 0, h.Epoch))
		require.NoError(t, first.Close())
		empties(t, c, 2*n+4) // head, changes, last, stale
		second := open(t, redis.Options{URL: server.URL()})
		claimed(t, second, 0)
		empties(t, c, n+3)
		_, seen := values(t, second, 0, n)
		require.Equal(t, n, seen)
	})
	t.Run("a draft goes on while others are swept", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s, c := open(t, redis.Options{URL: server.URL()}), clientOf(t, server)
		h := claimed(t, s, 0)
		for range 5 {
			d := sketch(t, s, 0, h, n)
			got, drafted, err := s.ReadDraft(t.Context(), 0, "v0", fmt.Sprint("v", n-1))
			require.NoError(t, err)
			require.Equal(t, d, got)
			require.Equal(t, fmt.Append(nil, d.Generation), drafted[1])
			require.Equal(t, drafted[0], drafted[1])
		}
		empties(t, c, n+3) // head, draft, last
	})
}
