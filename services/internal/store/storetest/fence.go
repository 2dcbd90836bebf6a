package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func (u *suite) testFence(t *testing.T) {
	t.Parallel()
	wrong := map[string]func(*store.Commit){
		"an older epoch":       func(c *store.Commit) { c.Epoch-- },
		"a newer epoch":        func(c *store.Commit) { c.Epoch++ },
		"an epoch of zero":     func(c *store.Commit) { c.Epoch = 0 },
		"another generation":   func(c *store.Commit) { c.Generation++ },
		"a cursor left behind": func(c *store.Commit) { c.From-- },
		"a cursor ahead":       func(c *store.Commit) { c.From++ },
		"a newer revision":     func(c *store.Commit) { c.Revision++ },
	}
	for name, break1 := range wrong {
		t.Run(name+" is fenced and writes nothing", func(t *testing.T) {
			t.Parallel()
			refuses(t, u.open(t), break1)
		})
	}
	t.Run("a partition never claimed refuses an owner", func(t *testing.T) {
		t.Parallel()
		err := u.open(t).Commit(t.Context(), next(0, store.Head{Epoch: 1}))
		require.ErrorIs(t, err, store.ErrFenced)
	})
	t.Run("the old owner is fenced by a claim", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		old := claim(t, s, 0)
		fresh := claim(t, s, 0)
		require.ErrorIs(t, s.Commit(t.Context(), next(0, old)), store.ErrFenced)
		apply(t, s, next(0, fresh))
	})
	t.Run("the same commit is applied once", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		c := next(0, claim(t, s, 0))
		c.Append = []store.Entry{{Key: "log", Value: []byte("x")}}
		apply(t, s, c)
		require.ErrorIs(t, s.Commit(t.Context(), c), store.ErrFenced)
		_, values := read(t, s, 0, "log")
		require.Equal(t, []byte("x"), values[0])
	})
	t.Run("of many committers exactly one wins each step", func(t *testing.T) {
		t.Parallel()
		race(t, u.open(t))
	})
	t.Run("a commit whose context has ended writes nothing", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Commit(ctx, next(0, h))
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, store.ErrUnknown)
		got, _ := read(t, s, 0)
		require.Equal(t, h, got)
	})
}

// refuses checks that a commit made wrong is fenced, and that head, values and watchers saw nothing of it.
func refuses(t *testing.T, s store.Store, break1 func(*store.Commit)) {
	t.Helper()
	c := next(0, claim(t, s, 0))
	c.Cursor, c.State = 10, []byte("state")
	c.Put = []store.Entry{{Key: "put", Value: []byte("old")}, {Key: "gone", Value: []byte("there")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("a")}}
	h := apply(t, s, c)
	w := watch(t, s, 1)
	w.lost(t, 1)

	c = next(0, h)
	c.State = []byte("other")
	c.Put = []store.Entry{{Key: "put", Value: []byte("new")}, {Key: "more", Value: []byte("new")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("b")}}
	c.Delete = []string{"gone"}
	c.Changed = []string{"account"}
	break1(c)
	require.ErrorIs(t, s.Commit(t.Context(), c), store.ErrFenced)

	got, values := read(t, s, 0, "put", "more", "log", "gone")
	require.Equal(t, h, got)
	require.Equal(t, [][]byte{[]byte("old"), nil, []byte("a"), []byte("there")}, values)
	good := next(0, h)
	apply(t, s, good)
	require.Equal(t, good.Cursor, w.next(t).Cursor, "the watcher must see nothing but the good commit")
}

// race lets several owners with the same head commit at the same time.
func race(t *testing.T, s store.Store) {
	t.Helper()
	const committers, steps = 8, 20
	h := claim(t, s, 0)
	for step := range steps {
		errs := make([]error, committers)
		var wg sync.WaitGroup
		for i := range committers {
			c := next(0, h)
			c.Put = []store.Entry{{Key: "winner", Value: fmt.Append(nil, i)}}
			c.Append = []store.Entry{{Key: "log", Value: []byte{byte(i)}}}
			wg.Go(func() { errs[i] = s.Commit(context.Background(), c) })
		}
		wg.Wait()
		winner := -1
		for i, err := range errs {
			if err == nil {
				require.Equal(t, -1, winner, "two committers won")
				winner = i
				continue
			}
			require.ErrorIs(t, err, store.ErrFenced, err)
		}
		require.NotEqual(t, -1, winner, "nobody won")
		var values [][]byte
		h, values = read(t, s, 0, "winner", "log")
		require.Equal(t, fmt.Append(nil, winner), values[0])
		require.Len(t, values[1], step+1)
		require.Equal(t, byte(winner), values[1][step])
	}
}
