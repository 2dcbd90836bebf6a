package directory_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// patience bounds every wait of these tests; none is expected to take that long.
const patience = 20 * time.Second

func open(t testing.TB, js jetstream.JetStream, o directory.Options) *directory.Directory {
	t.Helper()

	d, err := directory.Open(t.Context(), js, o)
	require.NoError(t, err)
	t.Cleanup(d.Close)

	return d
}

// requireAccount checks where a user's events go; "" stands for an unknown user.
func requireAccount(t *testing.T, d *directory.Directory, user string, at int64, want string) {
	t.Helper()

	got, known, err := d.Lookup(t.Context(), "w", user, at)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, want != "", known)
}

func TestLookup(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	d := open(t, js, directory.Options{})

	assign := func(user, account string, since int64) bool {
		changed, err := d.Assign(t.Context(), "w", user, account, since)
		require.NoError(t, err)

		return changed
	}

	t.Run("an unknown user has no account", func(t *testing.T) {
		t.Parallel()
		requireAccount(t, d, "nobody", 0, "")
	})

	t.Run("each time has the account of its spell, and the time before the first has the first", func(t *testing.T) {
		t.Parallel()

		require.True(t, assign("u", "a", 100))
		require.True(t, assign("u", "b", 200))
		require.False(t, assign("u", "b", 300), "still the same")
		requireAccount(t, d, "u", 99, "a")
		requireAccount(t, d, "u", 100, "a")
		requireAccount(t, d, "u", 199, "a")
		requireAccount(t, d, "u", 200, "b")
		requireAccount(t, d, "u", 1<<60, "b")
	})

	t.Run("spells may come in any order", func(t *testing.T) {
		t.Parallel()

		require.True(t, assign("late", "c", 300))
		require.True(t, assign("late", "a", 100))
		require.True(t, assign("late", "b", 200))
		require.True(t, assign("late", "c", 250), "begins earlier than known")
		requireAccount(t, d, "late", 150, "a")
		requireAccount(t, d, "late", 249, "b")
		requireAccount(t, d, "late", 250, "c")
	})

	t.Run("of two spells that begin at once the later call wins", func(t *testing.T) {
		t.Parallel()

		require.True(t, assign("same", "a", 100))
		require.True(t, assign("same", "b", 100))
		requireAccount(t, d, "same", 100, "b")
	})

	t.Run("workspaces do not see each other", func(t *testing.T) {
		t.Parallel()

		require.True(t, assign("shared", "a", 1))
		_, known, err := d.Lookup(t.Context(), "other", "shared", 1)
		require.NoError(t, err)
		require.False(t, known)
		require.NotEqual(t, directory.Key("a", "bc"), directory.Key("ab", "c"))
	})

	t.Run("ids may hold anything", func(t *testing.T) {
		t.Parallel()

		for _, user := range []string{"a.b", "*", ">", "{}", "new\nline", "ünï", strings.Repeat("x", 256)} {
			require.True(t, assign(user, "acc"+user, 1))
			requireAccount(t, d, user, 1, "acc"+user)
		}
	})

	t.Run("the oldest of too many spells go", func(t *testing.T) {
		t.Parallel()

		for i := range int64(100) {
			require.True(t, assign("nomad", fmt.Sprint("a", i), i))
		}

		requireAccount(t, d, "nomad", 0, "a36")
		requireAccount(t, d, "nomad", 99, "a99")
	})

	t.Run("another process finds it", func(t *testing.T) {
		t.Parallel()

		require.True(t, assign("moved", "a", 1))
		requireAccount(t, open(t, js, directory.Options{}), "moved", 1, "a")
	})
}

func TestCacheHearsOfOthers(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	one, two := open(t, js, directory.Options{}), open(t, js, directory.Options{Cached: 2})
	requireAccount(t, two, "u", 1, "")

	_, err := one.Assign(t.Context(), "w", "u", "a", 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, _, err := two.Lookup(t.Context(), "w", "u", 1)

		return err == nil && got == "a"
	}, patience, time.Millisecond)

	// A cache of two that saw ten still answers for all of them.
	for i := range 10 {
		user := fmt.Sprint("many", i)
		_, err := two.Assign(t.Context(), "w", user, user, 1)
		require.NoError(t, err)
	}

	for i := range 10 {
		user := fmt.Sprint("many", i)
		requireAccount(t, two, user, 1, user)
	}

	// Known reads past the cache.
	_, err = one.Assign(t.Context(), "w", "v", "a", 1)
	require.NoError(t, err)
	known, err := two.Known(t.Context(), "w", "v")
	require.NoError(t, err)
	require.True(t, known)
}

func TestCloseIsSilent(t *testing.T) {
	t.Parallel()

	var (
		js     = natstest.JetStream(t)
		log    bytes.Buffer
		logger = slog.New(slog.NewTextHandler(&log, nil))
	)

	for range 20 { // which of two things the watch sees first is by chance
		d, err := directory.Open(t.Context(), js, directory.Options{Logger: logger})
		require.NoError(t, err)
		d.Close()
	}

	require.Empty(t, log.String(), "nothing is wrong with a watch that was told to end")
}

func TestUnreadableEntriesAreErrors(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	d := open(t, js, directory.Options{})
	kv, err := js.KeyValue(t.Context(), "hale_directory")
	require.NoError(t, err)

	for user, text := range map[string]string{"x": "not json", "y": `{"v":2}`} {
		_, err = kv.PutString(t.Context(), directory.Key("w", user), text)
		require.NoError(t, err)
		_, _, err = d.Lookup(t.Context(), "w", user, 1)
		require.ErrorContains(t, err, "reading an entry")
		_, err = d.Assign(t.Context(), "w", user, "a", 1)
		require.Error(t, err)
	}

	// A deleted user is unknown, and can come back.
	_, err = d.Assign(t.Context(), "w", "gone", "a", 1)
	require.NoError(t, err)
	require.NoError(t, kv.Delete(t.Context(), directory.Key("w", "gone")))
	known, err := d.Known(t.Context(), "w", "gone")
	require.NoError(t, err)
	require.False(t, known)
	changed, err := d.Assign(t.Context(), "w", "gone", "b", 1)
	require.NoError(t, err)
	require.True(t, changed)
	requireAccount(t, d, "gone", 1, "b")
}

func TestAssignRaces(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	ds := []*directory.Directory{
		open(t, js, directory.Options{}), open(t, js, directory.Options{}), open(t, js, directory.Options{}),
	}

	var wg sync.WaitGroup

	errs := make([]error, 30)
	for i := range errs {
		wg.Go(func() { _, errs[i] = ds[i%len(ds)].Assign(t.Context(), "w", "u", fmt.Sprint("a", i), int64(i)) })
	}

	wg.Wait()

	for i, err := range errs {
		require.NoError(t, err)

		fresh := open(t, js, directory.Options{})
		requireAccount(t, fresh, "u", int64(i), fmt.Sprint("a", i))
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	d := open(t, js, directory.Options{})

	assign := func(t *testing.T, user, account string, since int64) {
		t.Helper()

		_, err := d.Assign(t.Context(), "w", user, account, since)
		require.NoError(t, err)
	}
	merge := func(t *testing.T, previous, user string) bool {
		t.Helper()

		changed, err := d.Merge(t.Context(), "w", previous, user)
		require.NoError(t, err)

		return changed
	}

	t.Run("both names have the union", func(t *testing.T) {
		t.Parallel()
		assign(t, "p1", "a", 10)
		assign(t, "u1", "b", 20)
		require.True(t, merge(t, "p1", "u1"))

		for _, user := range []string{"p1", "u1"} {
			requireAccount(t, d, user, 10, "a")
			requireAccount(t, d, user, 20, "b")
		}
	})

	t.Run("what either learns later both know", func(t *testing.T) {
		t.Parallel()
		require.False(t, merge(t, "p2", "u2"))
		assign(t, "p2", "a", 10)
		requireAccount(t, d, "u2", 10, "a")
		assign(t, "u2", "b", 20)
		requireAccount(t, d, "p2", 20, "b")

		root, err := d.View("w").Root(t.Context(), "p2")
		require.NoError(t, err)
		require.Equal(t, "u2", root)
	})

	t.Run("merging twice, with itself or in a circle changes nothing", func(t *testing.T) {
		t.Parallel()
		assign(t, "u3", "a", 10)
		require.False(t, merge(t, "u3", "u3"))
		require.False(t, merge(t, "p3", "u3"))
		require.False(t, merge(t, "p3", "u3"))
		require.False(t, merge(t, "u3", "p3"))
		requireAccount(t, d, "p3", 10, "a")
	})

	t.Run("chains are followed", func(t *testing.T) {
		t.Parallel()

		for i := range 6 {
			merge(t, fmt.Sprint("c", i), fmt.Sprint("c", i+1))
		}

		assign(t, "c0", "a", 1)
		requireAccount(t, d, "c6", 1, "a")
		known, err := d.Known(t.Context(), "w", "c3")
		require.NoError(t, err)
		require.True(t, known)
	})

	t.Run("merges and assignments at once lose nothing", func(t *testing.T) {
		t.Parallel()

		other := open(t, js, directory.Options{})

		var wg sync.WaitGroup

		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() {
				who := []*directory.Directory{d, other}[i%2]
				if i < 5 {
					_, errs[i] = who.Merge(t.Context(), "w", "p4", "u4")
				} else {
					_, errs[i] = who.Assign(t.Context(), "w", []string{"p4", "u4"}[i%2], fmt.Sprint("a", i), int64(i))
				}
			})
		}

		wg.Wait()

		fresh := open(t, js, directory.Options{})
		for i, err := range errs {
			require.NoError(t, err)

			if i >= 5 {
				requireAccount(t, fresh, "u4", int64(i), fmt.Sprint("a", i))
				requireAccount(t, fresh, "p4", int64(i), fmt.Sprint("a", i))
			}
		}
	})
}
