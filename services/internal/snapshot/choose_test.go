package snapshot_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

func TestNewest(t *testing.T) {
	t.Parallel()

	t.Run("there is none at first", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		_, _, err := b.Newest(t.Context(), 7, nil)
		require.ErrorIs(t, err, snapshot.ErrNotFound)
		_, _, err = b.OldestGood(t.Context(), 7, nil)
		require.ErrorIs(t, err, snapshot.ErrNotFound)
	})

	t.Run("damaged ones are passed over, and each is reported once", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		good := b.create(t, 7, 100)
		bad := b.createDamaged(t, 7, 200)

		for range 3 {
			info, m, err := b.Newest(t.Context(), 7, nil)
			require.NoError(t, err)
			require.Equal(t, good, info)
			require.Equal(t, uint64(100), m.Cursor)
		}

		require.Equal(t, 1, strings.Count(b.logged.String(), "passed over"))
		require.Contains(t, b.logged.String(), bad.Name)
		require.Equal(t, int64(1), b.count(t, "hale_snapshot_verified_total", "damaged"))
	})

	t.Run("one of a newer program is passed over too", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		good := b.create(t, 7, 100)
		name := snapshot.FormatName(layout, 7, 200, b.now)
		require.NoError(t, b.vault.Put(t.Context(), name, bytes.NewReader(snapshot.Seal(2, nil))))
		info, _, err := b.Newest(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, good, info)
		require.Contains(t, b.logged.String(), "newer format")
	})

	t.Run("each is read through once", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 100)
		b.create(t, 7, 200)
		before := b.vault.gets

		for range 3 {
			_, m, err := b.Newest(t.Context(), 7, nil)
			require.NoError(t, err)

			m.Cursor = 0 // what callers do with it is theirs
		}

		require.Equal(t, before, b.vault.gets, "what was created here was read back already")

		b.Archive = b.reopen(t)
		for range 3 {
			_, m, err := b.OldestGood(t.Context(), 7, nil)
			require.NoError(t, err)
			require.Equal(t, uint64(100), m.Cursor)
		}

		require.Equal(t, before+1, b.vault.gets)
	})

	t.Run("the one is returned that is accepted", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 100)
		two := b.create(t, 7, 200)
		b.create(t, 7, 300)
		info, _, err := b.Newest(t.Context(), 7, func(m snapshot.Meta) bool { return m.Cursor < 300 })
		require.NoError(t, err)
		require.Equal(t, two, info)
		info, _, err = b.OldestGood(t.Context(), 7, func(m snapshot.Meta) bool { return m.Cursor > 100 })
		require.NoError(t, err)
		require.Equal(t, two, info)
		_, _, err = b.Newest(t.Context(), 7, func(snapshot.Meta) bool { return false })
		require.ErrorIs(t, err, snapshot.ErrNotFound)
	})

	t.Run("a vault that does not answer is an error, and no verdict", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 100)
		b.Archive = b.reopen(t)
		b.vault.getErr = errors.New("no network")
		_, _, err := b.Newest(t.Context(), 7, nil)
		require.ErrorIs(t, err, b.vault.getErr)
		_, err = b.Prune(t.Context(), 7, 1)
		require.ErrorIs(t, err, b.vault.getErr)

		b.vault.getErr = nil
		_, _, err = b.Newest(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Empty(t, b.logged.String())
	})

	t.Run("one that is gone meanwhile is passed over", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 100)
		b.Archive = b.reopen(t)
		b.vault.getErr = snapshot.ErrNotFound
		_, _, err := b.Newest(t.Context(), 7, nil)
		require.ErrorIs(t, err, snapshot.ErrNotFound)
		require.Empty(t, b.logged.String())
	})

	t.Run("one that turns out damaged when it is used is not offered again", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		good := b.create(t, 7, 100)
		info := b.create(t, 7, 200)
		data := read(t, b.vault.Vault, info.Name)
		data[len(data)-1] ^= 1
		require.NoError(t, b.vault.Put(t.Context(), info.Name, bytes.NewReader(data)))

		newest, _, err := b.Newest(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, info, newest, "it was good when it was made")

		s, err := b.Open(t.Context(), newest)
		require.NoError(t, err)
		_, err = s.Each(t.Context(), func(snapshot.Entry) error { return nil })
		require.ErrorIs(t, err, snapshot.ErrDamaged)
		require.NoError(t, s.Close())

		newest, _, err = b.Newest(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, good, newest)
	})
}

func TestOldestGood(t *testing.T) {
	t.Parallel()

	t.Run("a damaged one does not hold the log", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.createDamaged(t, 7, 100)
		good := b.create(t, 7, 200)
		b.create(t, 7, 300)
		info, m, err := b.OldestGood(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, good, info)
		require.Equal(t, "EVENTS-0@2026", m.Stream)
		require.Nil(t, m.State)
	})

	t.Run("it is the one with the lowest cursor, whenever it was made", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 200)
		low := b.create(t, 7, 100)
		info, _, err := b.OldestGood(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, low, info)
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()

	cursors := func(all []snapshot.Info) (found []uint64) {
		for _, info := range all {
			found = append(found, info.Cursor)
		}

		return found
	}

	for _, test := range []struct {
		name    string
		made    string // oldest first: g is good, d is damaged
		keep    int
		left    []uint64
		removed int
	}{
		{"nothing is nothing", "", 2, nil, 0},
		{"the newest are kept", "gggg", 2, []uint64{4, 3}, 2},
		{"too few are kept all", "gg", 3, []uint64{2, 1}, 0},
		{"as many as there should be are kept", "ggg", 3, []uint64{3, 2, 1}, 0},
		{"damaged ones do not count", "gggd", 2, []uint64{4, 3, 2}, 1},
		{"damaged ones go when they are old", "dgdg", 1, []uint64{4}, 3},
		{"the last good one is never removed", "gddd", 1, []uint64{4, 3, 2, 1}, 0},
		{"one is kept when none should be", "ggg", 0, []uint64{3}, 2},
		{"one is kept when less than none should be", "ggg", -1, []uint64{3}, 2},
		{"nothing good is no reason to remove", "dd", 1, []uint64{2, 1}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()

			b := inFolder(t)
			other := b.create(t, 8, 1)

			for i, kind := range test.made {
				if kind == 'g' {
					b.create(t, 7, uint64(i+1))
				} else {
					b.createDamaged(t, 7, uint64(i+1))
				}
			}

			removed, err := b.Prune(t.Context(), 7, test.keep)
			require.NoError(t, err)
			require.Equal(t, test.removed, removed)
			require.Equal(t, test.left, cursors(b.list(t, 7)))
			require.Equal(t, []snapshot.Info{other}, b.list(t, 8))
		})
	}

	t.Run("all partitions at once is a mistake", func(t *testing.T) {
		t.Parallel()

		_, err := inFolder(t).Prune(t.Context(), -1, 1)
		require.ErrorContains(t, err, "no partition")
	})

	t.Run("what is left of an upload is swept after a day", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		b := newBench(t, openPlace(t, dir, snapshot.OpenOptions{}))
		info := b.create(t, 7, 100)
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".upload-1"), []byte("half"), 0o600))

		for after, want := range map[time.Duration]int{23 * time.Hour: 0, 25 * time.Hour: 1} {
			b.now = time.Now().Add(after)
			n, err := b.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, n, after)
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".upload-1"), []byte("half"), 0o600))
		}

		require.Equal(t, []snapshot.Info{info}, b.list(t, 7))
	})
}
