package scoring

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/watermark"
)

func TestStoreFellBack(t *testing.T) {
	t.Parallel()
	t.Run("a store put back to an old backup is told of, and the log is read again from there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		book, err := watermark.Open(t.Context(), w.log.JetStream(), 1)
		require.NoError(t, err)
		dir := t.TempDir()
		live, backup := filepath.Join(dir, "live"), filepath.Join(dir, "backup")
		score := func(from string, want total) *running {
			s, err := memory.Open(memory.Options{Dir: from})
			require.NoError(t, err)
			w.store = s
			r := w.start(Config{markEvery: lookTick}, func(d *Deps) { d.Marks = book })
			w.becomes(want)
			r.ready()
			require.Eventually(t, func() bool { return w.marked(book) }, patience, lookTick)
			r.stop()
			require.NoError(t, s.Close())
			return r
		}
		w.write(ids("a", 20, 7)...)
		require.Zero(t, score(live, total{counted: 20}).alarms(codeStoreFellBack))
		require.NoError(t, os.CopyFS(backup, os.DirFS(live)))
		w.write(ids("b", 20, 7)...)
		require.Zero(t, score(live, total{counted: 40}).alarms(codeStoreFellBack))
		require.Equal(t, int64(2), score(backup, total{counted: 40}).alarms(codeStoreFellBack))
	})
	t.Run("a mark of another log, or of a place that was reached, is none", func(t *testing.T) {
		t.Parallel()
		m := mark{Stream: "log/0/1", Generation: 2, Cursor: 10}
		require.False(t, m.beyond("log/0/2", store.Head{}))
		require.False(t, m.beyond("log/0/1", store.Head{Generation: 2, Cursor: 10}))
		require.False(t, m.beyond("log/0/1", store.Head{Generation: 3}))
		require.True(t, m.beyond("log/0/1", store.Head{Generation: 2, Cursor: 9}))
		require.True(t, m.beyond("log/0/1", store.Head{Generation: 1, Cursor: 90}))
		require.False(t, mark{}.beyond("log/0/1", store.Head{}))
	})
}

// marked reports whether the book holds what the store does.
func (w *world) marked(book *watermark.Book) bool {
	w.t.Helper()
	all, err := (&Service{deps: Deps{Marks: book}}).readMarks(w.t.Context(), 0)
	require.NoError(w.t, err)
	for p := range w.partitions {
		head, _, err := w.store.Read(w.t.Context(), p)
		require.NoError(w.t, err)
		if all.of(p).Cursor != head.Cursor {
			return false
		}
	}
	return true
}
