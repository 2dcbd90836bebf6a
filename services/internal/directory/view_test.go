package directory_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

func TestView(t *testing.T) {
	t.Parallel()

	d := open(t, natstest.JetStream(t), directory.Options{})

	lookup := func(t *testing.T, v *directory.View, user string, at int64) string {
		t.Helper()

		account, known, err := v.Lookup(t.Context(), user, at)
		require.NoError(t, err)
		require.Equal(t, account != "", known)

		return account
	}

	t.Run("entries apply in order, and only after commit for others", func(t *testing.T) {
		t.Parallel()

		v := d.View("w")
		require.Empty(t, lookup(t, v, "u", 5))
		require.NoError(t, v.Assign(t.Context(), "u", "a", 5))
		require.Equal(t, "a", lookup(t, v, "u", 5))
		require.NoError(t, v.Assign(t.Context(), "u", "b", 7))
		require.NoError(t, v.Assign(t.Context(), "u", "b", 8))
		require.Equal(t, "a", lookup(t, v, "u", 6))
		require.Equal(t, "b", lookup(t, v, "u", 7))
		requireAccount(t, d, "u", 5, "")

		woken, err := v.Commit(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"u"}, woken)
		requireAccount(t, d, "u", 5, "a")
		requireAccount(t, d, "u", 9, "b")
	})

	t.Run("merges apply in order too", func(t *testing.T) {
		t.Parallel()

		v := d.View("w")
		require.NoError(t, v.Assign(t.Context(), "p", "a", 1))
		require.NoError(t, v.Merge(t.Context(), "p", "q"))
		require.NoError(t, v.Merge(t.Context(), "p", "q"))
		require.NoError(t, v.Assign(t.Context(), "p", "b", 2))
		require.Equal(t, "a", lookup(t, v, "q", 1))
		require.Equal(t, "b", lookup(t, v, "q", 2))

		root, err := v.Root(t.Context(), "p")
		require.NoError(t, err)
		require.Equal(t, "q", root)

		woken, err := v.Commit(t.Context())
		require.NoError(t, err)
		slices.Sort(woken)
		require.Equal(t, []string{"p", "q"}, woken)
		requireAccount(t, d, "p", 1, "a")
		requireAccount(t, d, "q", 2, "b")
	})

	t.Run("many users are loaded and written side by side", func(t *testing.T) {
		t.Parallel()

		v, users := d.View("w"), make([]string, 300)
		for i := range users {
			users[i] = fmt.Sprint("many", i)
		}

		require.NoError(t, v.Load(t.Context(), users))
		require.NoError(t, v.Load(t.Context(), users))

		for _, u := range users {
			require.NoError(t, v.Assign(t.Context(), u, u, 1))
		}

		woken, err := v.Commit(t.Context())
		require.NoError(t, err)
		require.Len(t, woken, len(users))
		requireAccount(t, d, "many299", 1, "many299")
	})

	t.Run("a view that learned nothing writes nothing", func(t *testing.T) {
		t.Parallel()

		woken, err := d.View("w").Commit(t.Context())
		require.NoError(t, err)
		require.Empty(t, woken)
	})

	t.Run("errors of the bucket come through", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		v := d.View("w")
		require.Error(t, v.Load(ctx, []string{"e1"}))
		require.Error(t, v.Assign(ctx, "e1", "a", 1))
		require.Error(t, v.Merge(ctx, "e1", "e2"))
		require.NoError(t, v.Assign(t.Context(), "e3", "a", 1))
		_, err := v.Commit(ctx)
		require.Error(t, err)
	})
}

func TestSettle(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	d := open(t, js, directory.Options{})
	ctx := t.Context()

	_, unsettled, err := d.Unsettled(ctx, "w", "u")
	require.NoError(t, err)
	require.False(t, unsettled)

	_, err = d.Assign(ctx, "w", "u", "a", 1)
	require.NoError(t, err)
	revision, unsettled, err := d.Unsettled(ctx, "w", "u")
	require.NoError(t, err)
	require.True(t, unsettled)

	// Another process comes after a crash: whatever it looks up tells it so.
	v := open(t, js, directory.Options{}).View("w")
	_, _, err = v.Lookup(ctx, "u", 1)
	require.NoError(t, err)
	woken, err := v.Commit(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"u"}, woken)

	// News that came after the revision are not settled with it.
	_, err = d.Assign(ctx, "w", "u", "b", 2)
	require.NoError(t, err)
	require.NoError(t, d.Settle(ctx, "w", "u", revision))
	revision, unsettled, err = d.Unsettled(ctx, "w", "u")
	require.NoError(t, err)
	require.True(t, unsettled)

	require.NoError(t, d.Settle(ctx, "w", "u", revision))
	_, unsettled, err = d.Unsettled(ctx, "w", "u")
	require.NoError(t, err)
	require.False(t, unsettled)
	requireAccount(t, d, "u", 2, "b")
}
