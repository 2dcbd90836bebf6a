package reject_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/reject"
)

// pages lists everything, page by page.
func pages(t testing.TB, s *reject.Stream, workspace, code string, limit int) []string {
	t.Helper()

	var (
		found  []string
		before uint64
	)

	for {
		page, next, err := s.List(ctxOf(t), workspace, code, before, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)

		found = append(found, ids(page)...)

		if next == 0 {
			return found
		}

		require.Len(t, page, limit, "only the last page is short")
		before = next
	}
}

func TestList(t *testing.T) {
	t.Parallel()

	t.Run("of an empty stream is empty", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, pages(t, newStream(t, reject.Options{}), "w", "", 10))
	})

	t.Run("gives all of a workspace and code, newest first, in pages of any size", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		random := rand.New(rand.NewPCG(1, 2))
		want := map[string][]string{}

		for i := range 500 { // workspaces of very different size, codes mixed
			workspace, code := "big", []string{"required", "too_long"}[random.IntN(2)]
			if random.IntN(50) == 0 {
				workspace = "small"
			}

			id := fmt.Sprint(i)
			putOneByOne(t, s, entry(workspace, code, id))

			for _, key := range []string{workspace + "/" + code, workspace + "/"} {
				want[key] = append(want[key], id)
			}
		}

		for range 60 { // holes
			seq := 1 + random.Uint64N(500)
			if s.Delete(ctxOf(t), seq) == nil {
				for key := range want {
					want[key] = slices.DeleteFunc(want[key], func(id string) bool { return id == fmt.Sprint(seq-1) })
				}
			}
		}

		for key, expected := range want {
			slices.Reverse(expected)

			workspace, code := key[:len(key)-len("/")], ""
			for _, c := range []string{"required", "too_long"} {
				if w, found := cutSuffix(key, "/"+c); found {
					workspace, code = w, c
				}
			}

			for _, limit := range []int{1, 7, 100, 1000} {
				if limit == 1 && len(expected) > 20 {
					continue
				}

				require.Equal(t, expected, pages(t, s, workspace, code, limit), "%s by %d", key, limit)
			}
		}

		require.Empty(t, pages(t, s, "nobody", "", 10))
		require.Empty(t, pages(t, s, "big", "no_such_code", 10))
	})

	t.Run("stays the same while new entries come", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		putOneByOne(t, s, entries("w", "required", "old", 10)...)

		first, next, err := s.List(ctxOf(t), "w", "", 0, 4)
		require.NoError(t, err)
		putOneByOne(t, s, entries("w", "required", "new", 10)...)

		second, _, err := s.List(ctxOf(t), "w", "", next, 100)
		require.NoError(t, err)
		require.Equal(t, []string{"old9", "old8", "old7", "old6"}, ids(first))
		require.Equal(t, []string{"old5", "old4", "old3", "old2", "old1", "old0"}, ids(second))
	})

	t.Run("bounds a page", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		require.NoError(t, s.Put(ctxOf(t), entries("w", "required", "r", 1200)...))

		for asked, want := range map[int]int{0: 100, -1: 100, 1000: 1000, 5000: 1000} {
			page, next, err := s.List(ctxOf(t), "w", "", 0, asked)
			require.NoError(t, err)
			require.Len(t, page, want)
			require.NotZero(t, next)
		}
	})
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && s[len(s)-len(suffix):] == suffix {
		return s[:len(s)-len(suffix)], true
	}

	return s, false
}

func TestByKey(t *testing.T) {
	t.Parallel()

	s := newStream(t, reject.Options{})

	for i := range 600 {
		r := entry("w", "unknown_user", fmt.Sprint(i))
		r.Key = []string{"ann", "bob", ""}[i%3]
		require.NoError(t, s.Put(ctxOf(t), r))
	}

	t.Run("gives all of a key, oldest first, and they may be deleted meanwhile", func(t *testing.T) {
		for _, want := range []int{200, 0} {
			seen := 0

			var last uint64

			require.NoError(t, s.ByKey(ctxOf(t), "w", "unknown_user", "ann", func(r reject.Stored) error {
				require.Equal(t, "ann", r.Key)
				require.Greater(t, r.Sequence, last)
				last = r.Sequence
				seen++

				return s.Delete(ctxOf(t), r.Sequence)
			}))
			require.Equal(t, want, seen)
		}
	})

	t.Run("ends with the error of its function", func(t *testing.T) {
		stop := errors.New("enough")
		require.ErrorIs(t, s.ByKey(ctxOf(t), "w", "unknown_user", "bob",
			func(reject.Stored) error { return stop }), stop)
	})

	t.Run("finds nothing for another code or workspace", func(t *testing.T) {
		for _, key := range [][2]string{{"v", "unknown_user"}, {"w", "required"}} {
			require.NoError(t, s.ByKey(ctxOf(t), key[0], key[1], "bob", func(reject.Stored) error {
				return errors.New("unexpected")
			}))
		}
	})
}

// A page of a small workspace behind very many entries of a large one must not read them all.
func TestListIsNotAScan(t *testing.T) {
	t.Parallel()

	s := newStream(t, reject.Options{})
	putOneByOne(t, s, entries("small", "required", "s", 5)...)
	require.NoError(t, s.Put(ctxOf(t), entries("big", "required", "b", 20_000)...))

	start := time.Now()
	page, next, err := s.List(ctxOf(t), "small", "", 0, 3)
	require.NoError(t, err)
	require.Equal(t, []string{"s4", "s3", "s2"}, ids(page))
	require.NotZero(t, next)

	sparse := time.Since(start)
	page, _, err = s.List(ctxOf(t), "big", "", 0, 1000)
	require.NoError(t, err)
	require.Len(t, page, 1000)
	t.Logf("a page of 3 behind 20,000: %s; a page of 1,000: %s", sparse, time.Since(start)-sparse)
	require.Less(t, time.Since(start), 10*time.Second)
}
