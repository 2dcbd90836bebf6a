package alertlog_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// placeOf is the place behind the newest record.
func placeOf(t testing.TB, l *alertlog.Log) alertlog.Place {
	t.Helper()

	place, err := l.Latest(ctxOf(t), func(alertlog.Entry) error { return nil })
	require.NoError(t, err)

	return place
}

func TestCheck(t *testing.T) {
	t.Parallel()

	t.Run("takes places of the stream, and of what it dropped", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		first := placeOf(t, l)
		require.NoError(t, l.Check(ctxOf(t), first))
		require.NoError(t, l.Check(ctxOf(t), alertlog.Place{}))

		add(t, l, 0, 0, records("a", 3)...)

		last := placeOf(t, l)
		require.EqualValues(t, 3, last.Sequence)
		require.NotZero(t, last.Time)
		require.NoError(t, l.Check(ctxOf(t), first))
		require.NoError(t, l.Check(ctxOf(t), last))

		purge(t, js)
		require.NoError(t, l.Check(ctxOf(t), last))
		add(t, l, 0, 3, record("b", 1))
		require.NoError(t, l.Check(ctxOf(t), last))
	})

	t.Run("refuses one of another stream, and one behind its end", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		add(t, l, 0, 0, records("a", 3)...)

		place := placeOf(t, l)
		require.ErrorIs(t, l.Check(ctxOf(t), alertlog.Place{Stream: place.Stream, Sequence: 4}), alertlog.ErrGone)

		again := remake(t, js)
		add(t, again, 0, 0, records("b", 5)...)
		require.ErrorIs(t, again.Check(ctxOf(t), place), alertlog.ErrGone)
		require.ErrorIs(t, again.Follow(ctxOf(t), place, nil), alertlog.ErrGone)
	})

	t.Run("refuses one of what a stream restored from an old copy has lost", func(t *testing.T) {
		t.Parallel()

		dir, old := t.TempDir(), t.TempDir()
		l, stop, start := stoppableIn(t, dir)
		add(t, l, 0, 0, records("a", 2)...)

		kept := placeOf(t, l)

		stop()
		require.NoError(t, os.CopyFS(old, os.DirFS(dir)))
		start()
		add(t, l, 0, 2, record("b", 1), record("b", 2))

		lost := placeOf(t, l)

		stop()
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.CopyFS(dir, os.DirFS(old)))
		start()
		require.ErrorIs(t, l.Check(ctxOf(t), lost), alertlog.ErrGone, "it ends before the place")

		add(t, l, 0, 2, record("c", 1), record("c", 2), record("c", 3))
		require.Equal(t, lost.Stream, placeOf(t, l).Stream)
		require.ErrorIs(t, l.Check(ctxOf(t), lost), alertlog.ErrGone, "it has another record there")
		require.NoError(t, l.Check(ctxOf(t), kept))
	})
}
