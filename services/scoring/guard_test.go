package scoring

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// folded is a world of one partition whose log was folded once, by a service that has ended.
func folded(t *testing.T, ids ...string) *world {
	t.Helper()
	w := newWorld(t, 1)
	w.write(ids...)
	w.fold(total{counted: uint64(len(ids))})
	return w
}

// fold runs a service until the stored states sum up to want and it is ready, and ends it.
func (w *world) fold(want total) {
	w.t.Helper()
	r := w.start(Config{})
	w.becomes(want)
	r.ready()
	r.stop()
}

// replace deletes the log's stream and makes it anew, empty.
func (w *world) replace() {
	w.t.Helper()
	config := w.stream().CachedInfo().Config
	require.NoError(w.t, w.log.JetStream().DeleteStream(w.t.Context(), config.Name))
	_, err := w.log.JetStream().CreateStream(w.t.Context(), config)
	require.NoError(w.t, err)
}

func TestLogReplaced(t *testing.T) {
	t.Parallel()
	for name, ids := range map[string][]string{
		"is folded from its start":                              {"x/1", "y/1"},
		"is folded from its start, though it is as long":        {"x/1", "y/1", "z/1"},
		"is folded from its start, though it is longer":         {"x/1", "y/1", "z/1", "z/2"},
		"is folded from its start, though the events were seen": {"a/1", "b/1", "c/1", "d/1"},
		"may be empty": {},
	} {
		t.Run("a log made anew "+name, func(t *testing.T) {
			t.Parallel()
			w := folded(t, "a/1", "b/1", "c/1")
			w.replace()
			w.write(ids...)
			r := w.start(Config{})
			w.becomes(total{counted: uint64(len(ids)), generation: 1})
			r.ready()
			require.Equal(t, int64(1), r.alarms("log_replaced"))
			_, old := w.result("a")
			require.Equal(t, len(ids) > 0 && ids[0] == "a/1", old, "what only the old log held must be gone")
			r.stop()
			w.fold(total{counted: uint64(len(ids)), generation: 1})
		})
	}
	t.Run("a log made anew under a running service is folded from its start", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1", "a/2")
		r := w.start(Config{})
		w.becomes(total{counted: 2})
		w.replace()
		w.write("x/1")
		w.becomes(total{counted: 1, generation: 1})
		r.ready()
		_, old := w.result("a")
		require.False(t, old)
	})
	t.Run("what was refused in the same place of the old log does not hide what is refused now", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.records("a", nothing("first"))
		w.fold(total{rejected: 1})
		w.replace()
		w.records("a", nothing("second"))
		w.fold(total{rejected: 1, generation: 1})
		require.Len(t, w.refused("unknown_record"), 2)
	})
}

// restore brings the server's files back to what they were.
func (w *world) restore(copied string) {
	w.t.Helper()
	w.down()
	require.NoError(w.t, os.RemoveAll(w.dir))
	require.NoError(w.t, os.CopyFS(w.dir, os.DirFS(copied)))
	w.up()
}

func TestLogLostTail(t *testing.T) {
	t.Parallel()
	for name, others := range map[string][]string{
		"and ends before the state":                  {},
		"and was written on, but not so far":         {"x/1"},
		"and was written on, as far":                 {"x/1", "x/2", "x/3"},
		"and was written on, further":                {"x/1", "x/2", "x/3", "y/1", "y/2"},
		"and was written on, with one lost event":    {"a/4", "x/2", "x/3", "y/1"},
		"and was written on, with every lost event":  {"a/4", "a/5", "a/6"},
		"and got every lost event, in another order": {"a/6", "a/5", "a/4"},
	} {
		t.Run("a log that lost its tail "+name+" is folded again", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.write("a/1", "a/2", "b/3")
			w.down()
			copied := t.TempDir()
			require.NoError(t, os.CopyFS(copied, os.DirFS(w.dir)))
			w.up()
			w.write("a/4", "a/5", "a/6")
			w.fold(total{counted: 6})
			w.restore(copied)
			w.write(others...)
			r := w.start(Config{})
			w.becomes(total{counted: uint64(3 + len(others)), generation: 1})
			r.ready()
			require.Equal(t, int64(1), r.alarms("log_lost_tail"))
		})
	}
	t.Run("a log without the last message that was folded is folded again", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2", "a/3")
		w.remove(3)
		r := w.start(Config{})
		w.becomes(total{counted: 2, generation: 1})
		r.ready()
		require.Equal(t, int64(1), r.alarms("log_lost_tail"))
	})
	t.Run("a log that lost nothing is not folded again", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2", "a/3")
		w.down()
		w.up()
		w.write("a/4")
		w.fold(total{counted: 4})
	})
}

func TestLogTrimmed(t *testing.T) {
	t.Parallel()
	t.Run("a log trimmed past the cursor raises the alarm, and the state stays", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1")
		w.write("a/2", "a/3", "a/4")
		w.remove(1, 2)
		stays(t, w, total{counted: 1})
	})
	t.Run("a trimmed log without a state raises the alarm", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1", "a/2")
		w.remove(1)
		stays(t, w, total{})
	})
	t.Run("a log trimmed up to the cursor goes on", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2")
		w.remove(1, 2)
		w.write("a/3")
		w.fold(total{counted: 3})
	})
	t.Run("a trimmed log that lost its tail cannot be folded again", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2", "a/3")
		w.remove(1, 3)
		r := w.start(Config{})
		require.Eventually(t, func() bool { return r.alarms("log_lost_tail") >= 2 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "log_lost_tail")
		require.Equal(t, total{counted: 3}, w.total())
	})
}

// stays starts a service that must stop at the trimmed log, try again, and change nothing.
func stays(t *testing.T, w *world, want total) {
	t.Helper()
	r := w.start(Config{})
	require.Eventually(t, func() bool { return r.alarms("log_trimmed") >= 3 }, patience, lookTick)
	require.ErrorContains(t, r.Ready(), "log_trimmed")
	r.stop()
	require.Equal(t, want, w.total())
}
