package redis

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/store"
)

func TestHead(t *testing.T) {
	t.Parallel()
	t.Run("every head comes back", rapid.MakeCheck(func(rt *rapid.T) {
		want := store.Head{
			Epoch: rapid.Uint64().Draw(rt, "epoch"), Generation: rapid.Uint64().Draw(rt, "generation"),
			Cursor: rapid.Uint64().Draw(rt, "cursor"), State: rapid.SliceOf(rapid.Byte()).Draw(rt, "state"),
			Revision: rapid.Uint64Min(1).Draw(rt, "revision"),
		}
		b := expected(&store.Commit{Epoch: want.Epoch, Generation: want.Generation, From: want.Cursor, Revision: want.Revision})
		got, err := parseHead(string(append(b, packState(want.State)...)))
		require.NoError(rt, err)
		require.Equal(rt, want, got)
	}))
	t.Run("nothing stored is the zero head", func(t *testing.T) {
		t.Parallel()
		got, err := parseHead("")
		require.NoError(t, err)
		require.Equal(t, store.Head{}, got)
	})
	t.Run("a head that is short or of another version is refused", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"\x01", strings.Repeat("\x01", headerLen-1), "\x02" + strings.Repeat("\x00", headerLen)} {
			_, err := parseHead(s)
			require.True(t, store.HasReason(err, store.ReasonFormat), "%q", s)
			_, _, err = parseChange(0, s)
			require.True(t, store.HasReason(err, store.ReasonFormat), "%q", s)
		}
	})
}

// headed puts a header before a packed change.
func headed(change []byte) string {
	return string(append(append(guard(1, 2, 3), "\x00\x00\x00\x00\x00\x00\x00\x04"...), change...))
}

func TestChange(t *testing.T) {
	t.Parallel()
	t.Run("every list of ids comes back", rapid.MakeCheck(func(rt *rapid.T) {
		ids := rapid.SliceOf(rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(rt, "ids")
		h, c, err := parseChange(9, headed(packChange(ids)))
		require.NoError(rt, err)
		require.Equal(rt, header{Epoch: 1, Generation: 2, Cursor: 3, Revision: 4}, h)
		require.Equal(rt, 9, c.Partition)
		require.False(rt, c.Lost)
		require.Len(rt, c.Accounts, len(ids))
		for i := range ids {
			require.Equal(rt, ids[i], c.Accounts[i])
		}
	}))
	t.Run("too many ids become Lost", func(t *testing.T) {
		t.Parallel()
		ids := []string{strings.Repeat("x", maxChange)}
		_, c, err := parseChange(0, headed(packChange(ids)))
		require.NoError(t, err)
		require.True(t, c.Lost)
	})
	t.Run("an entry that does not fit counts as lost", func(t *testing.T) {
		t.Parallel()
		for _, change := range []string{"", "\x02", "\x00\x05abc", "\x00\x01a\xff", "\x00" + strings.Repeat("\xff", 20)} {
			_, c, err := parseChange(0, headed([]byte(change)))
			require.NoError(t, err)
			require.True(t, c.Lost, "%q", change)
			require.Empty(t, c.Accounts)
		}
	})
	t.Run("fewer large entries are kept than small ones", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, maxChanges, keepChanges(0))
		require.Equal(t, maxChanges, keepChanges(1000))
		require.Less(t, keepChanges(100<<10), 50)
		require.Equal(t, minChanges, keepChanges(maxChange*2))
	})
}

func FuzzChange(f *testing.F) {
	f.Add(headed(packChange([]string{"a", "bc"})))
	f.Add(headed([]byte{changeLost}))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		_, c, err := parseChange(1, s)
		if err != nil || c.Lost {
			require.Empty(t, c.Accounts)
			return
		}
		total := 0
		for _, id := range c.Accounts {
			total += len(id)
		}
		require.LessOrEqual(t, total, len(s))
	})
}
