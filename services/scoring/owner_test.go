package scoring

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func TestFenced(t *testing.T) {
	t.Parallel()
	t.Run("an owner that was fenced starts over and counts nothing twice", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		r := w.start(Config{})
		w.becomes(total{counted: 1})
		_, err := w.store.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		w.write("a/2", "b/1")
		w.becomes(total{counted: 3})
		r.ready()
		require.Positive(t, r.counter("hale_scoring_stream_restarts", "", ""))
	})
	t.Run("an owner whose partition was reset folds it again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1", "b/1")
		r := w.start(Config{})
		w.becomes(total{counted: 2})
		head, _, err := w.store.Read(t.Context(), 0)
		require.NoError(t, err)
		_, err = w.store.Reset(t.Context(), 0, head.Epoch)
		require.NoError(t, err)
		w.write("a/2")
		w.becomes(total{counted: 3, generation: 1})
		r.ready()
	})
	t.Run("two services on one store count every event once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 4)
		first, second := w.start(Config{}), w.start(Config{})
		const n, accounts = 150, 12
		all := ids("account", n, accounts)
		w.write(all...)
		w.write(all[:20]...) // again
		w.becomes(total{counted: n, duplicates: 20})
		first.stop()
		w.write("late/1")
		w.becomes(total{counted: n + 1, duplicates: 20})
		second.ready()
		second.stop()

		alone := &world{t: t, partitions: 4, log: w.log, rejects: w.rejects, pressure: w.pressure, writer: w.writer, store: newStore(t)}
		alone.fold(total{counted: n + 1, duplicates: 20})
		for _, id := range all[:accounts] {
			want, ok := alone.result(accountOf(id))
			require.True(t, ok)
			got, ok := w.result(accountOf(id))
			require.True(t, ok)
			require.Equal(t, want, got, id)
		}
	})
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	t.Run("what is folded is committed, and the next start goes on from there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		r := w.start(Config{CommitDelay: time.Second})
		all := ids("account", 40, 7)
		w.write(all...)
		require.Eventually(t, func() bool { // commits gather for a while, folding does not
			return r.counter("hale_scoring_events", "result", "counted") == int64(len(all))
		}, patience, time.Millisecond)
		r.stop()
		require.Equal(t, total{counted: uint64(len(all))}, w.total())
		w.write("late/1", all[0])
		w.fold(total{counted: uint64(len(all)) + 1, duplicates: 1})
	})
	t.Run("a service that never became ready ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		r := w.start(Config{})
		r.stop()
	})
	t.Run("a store that does not answer keeps the service from starting", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		s, err := New(Config{}, w.start(Config{}).deps)
		require.NoError(t, err)
		closed := newStore(t)
		require.NoError(t, closed.Close())
		s.deps.Store = closed
		require.ErrorContains(t, s.Run(t.Context()), "checking the store")
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	t.Run("zero values work", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, Config{}.Validate())
		c := Config{}.complete()
		require.NotNil(t, c.Now)
		require.Equal(t, 512, c.CacheMiB)
		require.Equal(t, 100*time.Millisecond, c.CommitDelay)
	})
	for name, c := range map[string]Config{
		"a negative cache":        {CacheMiB: -1},
		"a negative delay":        {CommitDelay: -1},
		"a delay above a second":  {CommitDelay: time.Second + 1},
		"a negative bound of ids": {MaxMessageIDs: -1},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, c.Validate(), "scoring:")
		})
	}
}
