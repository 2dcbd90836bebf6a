package scoring

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
)

// archive opens the world's snapshots, in a folder.
func (w *world) archive(dir string) *snapshot.Archive {
	w.t.Helper()
	vault, err := snapshot.Open(w.t.Context(), dir, snapshot.OpenOptions{})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, vault.Close()) })
	a, err := snapshot.NewArchive(vault, snapshot.ArchiveOptions{Layout: w.log.Layout().ID, Dir: w.t.TempDir()})
	require.NoError(w.t, err)
	return a
}

// board opens the world's tasks.
func (w *world) board() *task.Board {
	w.t.Helper()
	b, err := task.Open(w.t.Context(), w.log.JetStream(), 1)
	require.NoError(w.t, err)
	return b
}

// done waits until a task of the first stream has ended, and returns it.
func (w *world) done(b *task.Board, kind task.Kind) task.Task {
	w.t.Helper()
	var t task.Task
	require.Eventually(w.t, func() bool {
		var err error
		t, err = b.Get(context.Background(), kind, 0)
		return err == nil && t.State.Final()
	}, patience, lookTick, "%+v", &t)
	return t
}

// results reads the outcome of accounts from the store.
func (w *world) results(ids []string) map[string]any {
	w.t.Helper()
	all := map[string]any{}
	for _, id := range ids {
		r, there := w.result(accountOf(id))
		require.True(w.t, there, id)
		all[accountOf(id)] = r
	}
	return all
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	t.Run("a store that was wiped is restored where the log does not reach back, and the log is read on", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 4)
		a, b := w.archive(t.TempDir()), w.board()
		with := func(d *Deps) { d.Archive, d.Tasks = a, b }
		early, late := ids("early", 300, 40), ids("late", 100, 40)
		w.write(early...)
		r := w.start(Config{}, with)
		w.becomes(total{counted: 300})
		r.ready()
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Snapshot, Partition: -1}, 0)
		require.NoError(t, err)
		made := w.done(b, task.Snapshot)
		require.Equal(t, task.Done, made.State, made.Why)
		require.Len(t, made.Results, 4)
		w.write(late...)
		w.becomes(total{counted: 400})
		want := w.results(append(early, late...))
		r.stop()

		least := made.Results[0].Cursor
		for _, one := range made.Results {
			least = min(least, one.Cursor)
		}
		_, err = w.log.Trim(t.Context(), 0, least)
		require.NoError(t, err)
		w.store = newStore(t)
		r = w.start(Config{}, with)
		w.becomes(total{counted: 400, generation: 1})
		r.ready()
		require.Equal(t, want, w.results(append(early, late...)))
		require.Equal(t, int64(4), r.alarms(codeStoreFellBack))
		w.write(early[0], "new/1") // what was counted before the snapshot is still known
		w.becomes(total{counted: 401, duplicates: 1, generation: 1})
	})
	t.Run("a log that was trimmed past the state, without a snapshot, stops the partition", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2", "a/3")
		w.write("b/1", "b/2", "b/3")
		_, err := w.log.Trim(t.Context(), 0, 5)
		require.NoError(t, err)
		r := w.start(Config{}, func(d *Deps) { d.Archive = w.archive(t.TempDir()) })
		require.Eventually(t, func() bool { return r.alarms(codeLogTrimmed) > 0 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "log_trimmed: partition 0 is folded up to 3, stream 0 begins at 6")
		require.Equal(t, total{counted: 3}, w.total())
	})
	t.Run("a snapshot of events that the log lost is not used", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		dir := t.TempDir()
		b := w.board()
		w.write("a/1", "a/2")
		r := w.start(Config{}, func(d *Deps) { d.Archive, d.Tasks = w.archive(dir), b })
		w.becomes(total{counted: 2})
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Snapshot, Partition: -1}, 0)
		require.NoError(t, err)
		require.Equal(t, task.Done, w.done(b, task.Snapshot).State)
		r.stop()
		w.replace()
		w.write("x/1", "x/2", "x/3")
		r = w.start(Config{}, func(d *Deps) { d.Archive = w.archive(dir) })
		w.becomes(total{counted: 3, generation: 1})
		r.ready()
		require.Equal(t, int64(1), r.alarms(codeLogReplaced))
	})
	t.Run("snapshots are made on schedule, and what is older than the log is kept is trimmed up to the oldest", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		a := w.archive(t.TempDir())
		w.write(ids("a", 40, 9)...)
		future := func() time.Time { return time.Now().Add(time.Minute + defaultRetention) }
		r := w.start(Config{SnapshotEvery: time.Millisecond, SnapshotKeep: 2, scheduleLook: lookTick}, func(d *Deps) { d.Archive = a })
		w.becomes(total{counted: 40})
		r.stop()
		r = w.start(Config{SnapshotEvery: time.Millisecond, SnapshotKeep: 2, scheduleLook: lookTick, Now: future},
			func(d *Deps) { d.Archive = a })
		require.Eventually(t, func() bool { // ticks move every partition on, as the owner's clock is far ahead
			info, err := w.log.Info(context.Background(), 0)
			return err == nil && info.First > 40
		}, patience, lookTick)
		for p := range 2 {
			oldest, _, err := a.OldestGood(t.Context(), p, func(snapshot.Meta) bool { return true })
			require.NoError(t, err)
			info, err := w.log.Info(t.Context(), 0)
			require.NoError(t, err)
			require.LessOrEqual(t, info.First, oldest.Cursor+1, "the log reaches back to the oldest snapshot")
		}
		r.stop()
		w.store = newStore(t)
		r = w.start(Config{}, func(d *Deps) { d.Archive = a })
		w.becomes(total{counted: 40, generation: 1})
		r.ready()
	})
	t.Run("a snapshot taken while events come is exact", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		a, b := w.archive(t.TempDir()), w.board()
		w.write(ids("a", 500, 100)...)
		r := w.start(Config{}, func(d *Deps) { d.Archive, d.Tasks = a, b })
		w.becomes(total{counted: 500})
		var writing sync.WaitGroup
		writing.Go(func() { w.write(ids("b", 1500, 300)...) })
		for range 5 {
			_, err := b.Ask(t.Context(), task.Task{Kind: task.Snapshot, Partition: -1}, 0)
			require.NoError(t, err)
			made := w.done(b, task.Snapshot)
			require.Equal(t, task.Done, made.State, made.Why)
		}
		writing.Wait()
		w.becomes(total{counted: 2000})
		want := w.results(append(ids("a", 100, 100), ids("b", 300, 300)...))
		r.stop()
		all, err := a.List(t.Context(), 0)
		require.NoError(t, err)
		for _, one := range all {
			w.store = newStore(t)
			head, err := w.store.Claim(t.Context(), 0, store.Lease{})
			require.NoError(t, err)
			s, err := New(Config{}, w.deps(sdkmetric.NewManualReader()))
			require.NoError(t, err)
			s.deps.Archive = a
			_, err = s.restore(t.Context(), 0, head.Epoch, one)
			require.NoError(t, err)
			w.fold(total{counted: 2000, generation: 1})
			require.Equal(t, want, w.results(append(ids("a", 100, 100), ids("b", 300, 300)...)), "from %d", one.Cursor)
		}
	})
	t.Run("an operator can go back to a snapshot, and the log is read on from there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		a, b := w.archive(t.TempDir()), w.board()
		w.write(ids("a", 30, 9)...)
		r := w.start(Config{}, func(d *Deps) { d.Archive, d.Tasks = a, b })
		w.becomes(total{counted: 30})
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Snapshot, Partition: -1}, 0)
		require.NoError(t, err)
		require.Equal(t, task.Done, w.done(b, task.Snapshot).State)
		w.write(ids("b", 30, 9)...)
		w.becomes(total{counted: 60})
		want := w.results(append(ids("a", 9, 9), ids("b", 9, 9)...))
		_, err = b.Ask(t.Context(), task.Task{Kind: task.Restore, Partition: -1}, 0)
		require.NoError(t, err)
		back := w.done(b, task.Restore)
		require.Equal(t, task.Done, back.State, back.Why)
		w.becomes(total{counted: 60, generation: 1})
		r.ready()
		require.Equal(t, want, w.results(append(ids("a", 9, 9), ids("b", 9, 9)...)))
		_, err = b.Ask(t.Context(), task.Task{Kind: task.Restore, Partition: 1, Cursor: 7777}, 0)
		require.NoError(t, err)
		back = w.done(b, task.Restore)
		require.Equal(t, task.Failed, back.State)
		require.Contains(t, back.Why, "no good snapshot")
	})
}
