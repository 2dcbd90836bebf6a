package vaulttest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

func testObjects(t *testing.T, empty func(t testing.TB) Place) {
	t.Helper()
	t.Parallel()

	for _, size := range []int{0, 1, 1000, 512<<10 - 1, 512 << 10, 512<<10 + 1, 1 << 20, large} {
		t.Run(fmt.Sprintf("one of %d bytes is read as it was written", size), func(t *testing.T) {
			t.Parallel()

			v := empty(t)(t)
			data := content(size)
			// io.Reader only: nothing else may be asked of it.
			require.NoError(t, v.Put(t.Context(), "layout/p0001/a.snapshot", io.MultiReader(bytes.NewReader(data))))
			require.True(t, bytes.Equal(data, get(t, v, "layout/p0001/a.snapshot")))

			all := list(t, v, "")
			require.Len(t, all, 1)
			require.Equal(t, int64(size), all[0].Size)
			require.WithinDuration(t, time.Now(), all[0].Modified, time.Minute)
		})
	}

	t.Run("one that is not there is not found", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		missing(t, v, "a")
		put(t, v, "a/b/c", []byte("data"))

		for _, name := range []string{"a", "a/b", "a/b/c/d", "a/b/d", "A/b/c"} {
			missing(t, v, name)
		}
	})

	t.Run("a second one takes the place of the first", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		put(t, v, "a", content(2<<20))
		put(t, v, "a", []byte("new"))
		require.Equal(t, "new", string(get(t, v, "a")))
		require.Equal(t, int64(3), list(t, v, "")[0].Size)
		require.Empty(t, sweep(t, v), "nothing is left of the first")
	})

	t.Run("a deleted one is gone, and may be put again", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		put(t, v, "a/b", []byte("data"))
		put(t, v, "a/c", []byte("other"))
		require.NoError(t, v.Delete(t.Context(), "a/b"))
		missing(t, v, "a/b")
		require.Equal(t, []string{"a/c"}, names(list(t, v, "")))
		require.NoError(t, v.Delete(t.Context(), "a/b"), "deleting what is not there does no harm")
		put(t, v, "a/b", []byte("again"))
		require.Equal(t, "again", string(get(t, v, "a/b")))
	})

	t.Run("names that could mean something else are refused", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)

		for _, name := range []string{
			"", "/", "a/", "/a", "a//b", "..", "a/../b", ".a", "a/.b", `a\b`, "a b", "ä", "a\x00", "a*", ">", strings.Repeat("a", 513),
		} {
			require.ErrorIs(t, v.Put(t.Context(), name, strings.NewReader("x")), snapshot.ErrName, name)
			_, err := v.Get(t.Context(), name)
			require.ErrorIs(t, err, snapshot.ErrName, name)
			require.ErrorIs(t, v.Delete(t.Context(), name), snapshot.ErrName, name)
		}

		require.Empty(t, list(t, v, ""))
	})
}

func testLists(t *testing.T, empty func(t testing.TB) Place) {
	t.Helper()
	t.Parallel()

	all := []string{"a/p0001/1", "a/p0001/2", "a/p0010/1", "a/p0011", "b/p0001/1", "b-"}
	v := empty(t)(t)
	require.Empty(t, list(t, v, ""))
	require.Empty(t, list(t, v, "a/"))

	for i := range all {
		put(t, v, all[len(all)-1-i], content(i+1))
	}

	for prefix, want := range map[string][]string{
		"":           {"a/p0001/1", "a/p0001/2", "a/p0010/1", "a/p0011", "b-", "b/p0001/1"},
		"a/p0001/":   {"a/p0001/1", "a/p0001/2"},
		"a/p001":     {"a/p0010/1", "a/p0011"},
		"a/p0001/1":  {"a/p0001/1"},
		"a/p0001/1/": {},
		"c/":         {},
		"b":          {"b-", "b/p0001/1"},
		"../":        {},
	} {
		require.Equal(t, want, names(list(t, v, prefix)), "with prefix %q", prefix)
	}
}
