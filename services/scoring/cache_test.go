package scoring

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
)

// one is the size of an empty account with a short id.
func one() int { return size("a", health.New()) }

func none(string) bool { return false }

// upTo is a bound that stays the same.
func upTo(bytes int) func() int { return func() int { return bytes } }

func TestCache(t *testing.T) {
	t.Parallel()
	t.Run("what was put is there", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(10 * one()))
		a := health.New()
		c.Put("a", a)
		require.Same(t, a, c.Get("a"))
		require.True(t, c.has("a"))
		require.Nil(t, c.Get("b"))
		require.False(t, c.has("b"))
	})
	t.Run("an account put again replaces the first", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(10 * one()))
		c.Put("a", health.New())
		again := health.New()
		c.Put("a", again)
		require.Same(t, again, c.Get("a"))
		require.Equal(t, one(), c.bytes)
		require.Equal(t, 1, c.order.Len())
	})
	t.Run("nothing leaves before trim, whatever the bound", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(0))
		for _, id := range []string{"a", "b", "c"} {
			c.Put(id, health.New())
		}
		require.Equal(t, 3*one(), c.bytes)
		c.trim(0, none)
		require.Empty(t, c.entries)
		require.Zero(t, c.bytes)
	})
	t.Run("the least recently used leave first, and no more than must", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(2 * one()))
		for _, id := range []string{"a", "b", "c"} {
			c.Put(id, health.New())
		}
		c.Get("a")
		c.trim(0, none)
		require.True(t, c.has("a") && c.has("c"))
		require.False(t, c.has("b"))
		require.True(t, c.has("a"), "asking is not using")
		c.Put("d", health.New())
		c.trim(0, none)
		require.False(t, c.has("c"))
	})
	t.Run("what is not yet stored stays", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(0))
		for _, id := range []string{"changed", "under way", "stored"} {
			c.Put(id, health.New())
		}
		c.flushed(1, []string{"stored"})
		c.flushed(2, []string{"under way", "not here"})
		changed := func(id string) bool { return id == "changed" }
		c.trim(1, changed)
		require.True(t, c.has("changed") && c.has("under way"))
		require.False(t, c.has("stored"))
		c.trim(2, none)
		require.Empty(t, c.entries)
		require.Zero(t, c.bytes)
	})
	t.Run("an account that grew is weighed again when it is flushed", func(t *testing.T) {
		t.Parallel()
		c := newCache(upTo(100 * one()))
		a := health.New()
		c.Put("a", a)
		for i := range 50 {
			require.Nil(t, a.Apply(event(fmt.Sprint("a/", i)).GetEvent(), health.Time(i)))
		}
		c.flushed(1, []string{"a"})
		require.Equal(t, size("a", a), c.bytes)
		require.Greater(t, c.bytes, one())
	})
}

// TestCacheModel checks the bound and the books over random use.
func TestCacheModel(t *testing.T) {
	t.Parallel()
	t.Run("bytes and order fit the entries after any use", rapid.MakeCheck(func(rt *rapid.T) {
		c := newCache(upTo(rapid.IntRange(0, 4).Draw(rt, "room") * one()))
		flush, stored := uint64(0), uint64(0)
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		rt.Repeat(map[string]func(*rapid.T){
			"get":   func(rt *rapid.T) { c.Get(id.Draw(rt, "id")) },
			"put":   func(rt *rapid.T) { c.Put(id.Draw(rt, "id"), health.New()) },
			"flush": func(rt *rapid.T) { flush++; c.flushed(flush, []string{id.Draw(rt, "id")}) },
			"trim": func(rt *rapid.T) {
				stored = rapid.Uint64Range(stored, flush).Draw(rt, "stored")
				dirty := id.Draw(rt, "changed")
				had := c.has(dirty)
				c.trim(stored, func(id string) bool { return id == dirty })
				require.Equal(rt, had, c.has(dirty))
				kept := 0
				for e := c.order.Front(); e != nil; e = e.Next() {
					if entry := e.Value.(*cached); entry.flush > stored || entry.id == dirty {
						kept += entry.size
					}
				}
				require.LessOrEqual(rt, c.bytes, max(c.limit(), kept))
			},
			"": func(rt *rapid.T) {
				sum := 0
				for _, e := range c.entries {
					sum += e.Value.(*cached).size
				}
				require.Equal(rt, sum, c.bytes)
				require.Equal(rt, len(c.entries), c.order.Len())
			},
		})
	}))
}
