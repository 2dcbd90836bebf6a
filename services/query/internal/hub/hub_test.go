package hub_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

const (
	workspace  = "w"
	partitions = 2
)

// world is a hub with its book; the test plays the feed.
type world struct {
	*hub.Hub

	book column.Book
}

func newWorld(size int) *world {
	w := new(world)
	w.Hub = hub.New(&w.book, partitions, size)

	for n := range partitions {
		w.Begin(n)
		w.Filled(n, at(0, 0))
		w.Reached(n, at(0, 0))
	}

	w.Publish(1)

	return w
}

// at is a position in the generation and epoch of most tests.
func at(cursor, revision uint64) hub.Position {
	return hub.Position{
		Known: true, Generation: 1, Epoch: 1, Place: column.Place{Cursor: cursor, Revision: revision},
	}
}

// put changes an account at a cursor.
func (w *world) put(account string, cursor uint64) {
	p := at(cursor, cursor)
	w.book.Table(workspace).Put(&column.Row{Account: account, At: p.Place})
	w.Reached(0, p)
}

// next takes what a reader gets, as accounts.
func next(t *testing.T, r *hub.Reader) []string {
	t.Helper()

	s := r.Next()

	changes, err := s.Changes()
	require.NoError(t, err)

	var names []string

	for _, c := range changes {
		switch {
		case c.Old == nil && c.New != nil:
			names = append(names, "+"+c.New.Account)
		case c.New == nil && c.Old != nil:
			names = append(names, "-"+c.Old.Account)
		case c.New != nil:
			names = append(names, c.New.Account)
		}
	}

	return names
}

func isReady(r *hub.Reader) bool {
	select {
	case <-r.Ready():
		return true
	default:
		return false
	}
}

func TestReader(t *testing.T) {
	t.Parallel()

	t.Run("gets what came after it joined, once it is published", func(t *testing.T) {
		t.Parallel()

		w := newWorld(64)
		w.put("before", 1)

		j := w.Join(workspace, true)
		defer j.Close()

		require.Len(t, rows(j), 1)
		w.put("a", 2)
		require.False(t, isReady(j.Reader))
		require.Empty(t, next(t, j.Reader))
		w.Publish(2)
		require.True(t, isReady(j.Reader))
		require.Equal(t, []string{"+a"}, next(t, j.Reader))
		require.False(t, isReady(j.Reader))
	})

	t.Run("gets changes of one account as one", func(t *testing.T) {
		t.Parallel()

		w := newWorld(64)
		w.put("a", 1)

		j := w.Join(workspace, false)
		defer j.Close()

		require.Empty(t, rows(j), "they were not wanted")

		w.put("a", 2)
		w.put("b", 3)
		w.put("a", 4)
		w.book.Table(workspace).Retain(0, func(account string) bool { return account != "b" })
		w.put("c", 5)
		w.Publish(2)

		require.Equal(t, []string{"a", "+c"}, next(t, j.Reader), "b came and went")
	})

	t.Run("is woken before a ring is full, and is behind when it does not come", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)

		j := w.Join(workspace, false)
		defer j.Close()

		for i := range uint64(8) {
			w.put(strconv.FormatUint(i, 10), i+1)
		}

		require.True(t, isReady(j.Reader), "nothing was published")
		w.put("one too many", 9)

		s := j.Next()
		_, err := s.Changes()
		require.ErrorIs(t, err, hub.ErrBehind)
	})

	t.Run("of another workspace hears nothing", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)

		j := w.Join("other", false)
		defer j.Close()

		w.put("a", 1)
		w.Publish(2)
		require.False(t, isReady(j.Reader))
		s := j.Next()
		require.True(t, s.Empty())
		require.Equal(t, int64(2), s.Point.AsOf, "but how far everything is")
	})

	t.Run("counts as a watcher until it is closed", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)
		a, b := w.Join(workspace, false), w.Join("other", false)
		require.Equal(t, 2, w.Watchers())
		a.Close()
		require.Equal(t, 1, w.Watchers())
		b.Close()
		w.put("nobody is told", 1)

		c := w.Join(workspace, false)
		defer c.Close()

		w.put("a", 2)
		w.Publish(1)
		require.Equal(t, []string{"+a"}, next(t, c.Reader))
	})
}

func rows(j *hub.Joined) []*column.Row {
	var all []*column.Row
	for r := range j.Rows {
		all = append(all, r)
	}

	return all
}

// id is the identity of most tests.
func id() hub.Identity {
	return hub.NewIdentity([]string{"installation", workspace, "filter"}, []string{"rule"})
}

// token is what a watcher has now.
func (w *world) token(t *testing.T) *hub.Token {
	t.Helper()

	j := w.Join(workspace, false)
	defer j.Close()

	token, err := hub.ParseToken(id(), j.Point.Token(id()))
	require.NoError(t, err)

	return token
}

func TestResume(t *testing.T) {
	t.Parallel()

	t.Run("tells what changed since", func(t *testing.T) {
		t.Parallel()

		w := newWorld(64)
		w.put("a", 1)
		w.put("b", 2)
		w.Publish(1)

		token := w.token(t)
		w.put("b", 3)
		w.put("c", 4)

		j := w.Join(workspace, true)
		defer j.Close()

		require.True(t, j.Resumes(token))

		missed := map[string]bool{}
		for _, r := range rows(j) {
			missed[r.Account] = j.Missed(token, r)
		}

		require.Equal(t, map[string]bool{"a": false, "b": true, "c": true}, missed)
	})

	t.Run("tells commits apart that leave the cursor as it is, within an epoch", func(t *testing.T) {
		t.Parallel()

		w := newWorld(64)
		w.Reached(0, at(5, 7))
		w.Publish(1)

		token := w.token(t)
		missed := func(epoch, revision uint64) bool {
			p := at(5, revision)
			p.Epoch = epoch
			w.Reached(0, p)

			j := w.Join(workspace, false)
			defer j.Close()

			require.True(t, j.Resumes(token))

			return j.Missed(token, &column.Row{At: p.Place})
		}

		require.False(t, missed(1, 7))
		require.True(t, missed(1, 8))
		require.True(t, missed(2, 7), "another owner's commits are not comparable")
	})

	for name, change := range map[string]func(*world){
		"the partition was filled since": func(w *world) { w.Begin(0); w.Filled(0, at(9, 9)); w.Reached(0, at(9, 9)) },
		"the partition is being filled":  func(w *world) { w.Begin(0) },
		"the values are of another generation": func(w *world) {
			p := at(5, 7)
			p.Generation = 2
			w.Begin(0)
			w.Filled(0, p)
			w.Reached(0, p)
		},
		"it was filled at the same cursor by another owner": func(w *world) {
			p := at(5, 7)
			p.Epoch = 2
			w.Begin(0)
			w.Filled(0, p)
			w.Reached(0, p)
		},
	} {
		t.Run("is not possible where "+name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(8)
			w.Reached(0, at(5, 7))
			w.Publish(1)

			token := w.token(t)
			change(w)

			j := w.Join(workspace, true)
			defer j.Close()

			require.False(t, j.Resumes(token))
		})
	}

	t.Run("is not possible from what was told while a partition was filled", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)
		w.Begin(0)

		token := w.token(t)

		w.Filled(0, at(0, 0))
		w.Reached(0, at(0, 0))

		j := w.Join(workspace, true)
		defer j.Close()

		require.False(t, j.Resumes(token))
	})

	t.Run("is not possible when the segments were others", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)

		j := w.Join(workspace, true)
		defer j.Close()

		other := hub.NewIdentity([]string{"installation", workspace, "filter"}, []string{"another rule"})
		token, err := hub.ParseToken(id(), j.Point.Token(other))
		require.NoError(t, err)
		require.False(t, j.Resumes(token))
	})
}

func TestAwait(t *testing.T) {
	t.Parallel()

	ahead := newWorld(8)
	ahead.Reached(0, at(3, 3))
	ahead.Publish(1)

	token := ahead.token(t)

	t.Run("waits until the columns are as far as the token", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)
		done := make(chan error, 1)

		go func() { done <- w.Await(t.Context(), token) }()

		for _, p := range []hub.Position{at(2, 9), at(3, 2)} {
			w.Reached(0, p)
			w.Publish(1)
			require.Empty(t, done)
		}

		w.Reached(0, at(3, 3))
		w.Publish(1)
		require.NoError(t, <-done)
	})

	t.Run("ends with its context", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()

		require.ErrorIs(t, newWorld(8).Await(ctx, token), context.DeadlineExceeded)
	})

	t.Run("does not wait where nobody can go on", func(t *testing.T) {
		t.Parallel()

		w := newWorld(8)
		w.Begin(0)
		require.NoError(t, w.Await(t.Context(), token))
	})
}

func TestToken(t *testing.T) {
	t.Parallel()

	w := newWorld(8)

	j := w.Join(workspace, false)
	defer j.Close()

	text := j.Point.Token(id())

	for _, other := range [][]string{{"other", workspace, "filter"}, {"installation", "v", "filter"}, {"installation", "w", "f"}} {
		_, err := hub.ParseToken(hub.NewIdentity(other, []string{"rule"}), text)
		require.ErrorIs(t, err, hub.ErrToken)
	}

	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := []byte(text)
		b[r.IntN(len(b))] = byte(r.IntN(256))
		_, _ = hub.ParseToken(id(), string(b[:r.IntN(len(b)+1)])) // whatever it is, it does no harm
	}

	for n := range len(text) {
		_, err := hub.ParseToken(id(), text[:n])
		require.ErrorIs(t, err, hub.ErrToken, "cut at %d", n)
	}
}
