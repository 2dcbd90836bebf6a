package scoring

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
)

func TestRebuild(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, b *task.Board) {
		t.Helper()
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild, Partition: -1}, 0)
		require.NoError(t, err)
	}
	t.Run("the log is folded again beside what is live, and takes its place without losing an event", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 4)
		b := w.board()
		w.write(ids("a", 600, 50)...)
		w.records("a0", nothing("test"))
		r := w.start(Config{}, func(d *Deps) { d.Tasks = b })
		w.becomes(total{counted: 600, rejected: 1})
		want := w.results(ids("a", 50, 50))
		var writing sync.WaitGroup
		writing.Go(func() { w.write(ids("b", 300, 50)...) })
		ask(t, b)
		got := w.done(b, task.Rebuild)
		require.Equal(t, task.Done, got.State, got.Why)
		require.Len(t, got.Results, 4)
		require.GreaterOrEqual(t, got.Events, uint64(600))
		writing.Wait()
		w.becomes(total{counted: 900, rejected: 1, generation: 1})
		r.ready()
		require.Equal(t, want, w.results(ids("a", 50, 50)))
		require.Len(t, w.refused("unknown_record"), 1, "what was refused is not refused again")
		require.Zero(t, r.counter("hale_scoring_stream_restarts", "", ""))
		require.Equal(t, int64(900), r.counter("hale_scoring_events", "result", "counted"), "no event is told of twice")
	})
	t.Run("a poison event is refused in the draft as well", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		b := w.board()
		w.write("a/1")
		w.garbage([]byte("garbage"))
		w.write("a/2")
		r := w.start(Config{}, func(d *Deps) { d.Tasks = b })
		w.becomes(total{counted: 2, rejected: 1})
		ask(t, b)
		require.Equal(t, task.Done, w.done(b, task.Rebuild).State)
		w.becomes(total{counted: 2, rejected: 1, generation: 1})
		r.ready()
	})
	t.Run("aborting leaves what is live, and no draft", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		b := w.board()
		w.write(ids("a", 50, 9)...)
		stuck := newStuck(w.store)
		r := w.start(Config{}, func(d *Deps) { d.Tasks, d.Store = b, stuck })
		w.becomes(total{counted: 50})
		ask(t, b)
		<-stuck.reached
		_, err := b.Abort(t.Context(), task.Rebuild, 1)
		require.NoError(t, err)
		close(stuck.open)
		require.Equal(t, task.Aborted, w.done(b, task.Rebuild).State)
		for p := range 2 {
			status, err := w.store.Inspect(t.Context(), p)
			require.NoError(t, err)
			require.Nil(t, status.Draft)
		}
		w.write("late/1")
		w.becomes(total{counted: 51})
		r.ready()
	})
	t.Run("another owner goes on with the draft", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		b := w.board()
		w.write(ids("a", 50, 9)...)
		stuck := newStuck(w.store)
		first := w.start(Config{}, func(d *Deps) { d.Tasks, d.Store = b, stuck })
		w.becomes(total{counted: 50})
		ask(t, b)
		<-stuck.reached
		close(stuck.open)
		first.stop()
		second := w.start(Config{}, func(d *Deps) { d.Tasks = b })
		require.Equal(t, task.Done, w.done(b, task.Rebuild).State)
		second.ready()
		after := w.total()
		require.Equal(t, uint64(50), after.counted)
		require.Positive(t, after.generation, "a partition that had not begun gets another draft")
	})
}

// stuck is a store in which the first commit to a draft waits.
type stuck struct {
	store.Store

	once          sync.Once
	reached, open chan struct{}
}

func newStuck(s store.Store) *stuck {
	return &stuck{Store: s, reached: make(chan struct{}), open: make(chan struct{})}
}

func (s *stuck) Commit(ctx context.Context, c *store.Commit) error {
	if c.Draft {
		s.once.Do(func() { close(s.reached) })
		<-s.open
	}
	return s.Store.Commit(ctx, c)
}
