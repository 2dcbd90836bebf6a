package scoring

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// owners counts the partitions that each process holds a lease of; "" counts those that nobody does.
func (w *world) owners() map[string]int {
	w.t.Helper()
	held := map[string]int{}
	for p := range w.partitions {
		status, err := w.store.Inspect(context.Background(), p)
		require.NoError(w.t, err)
		held[status.Lease.Owner]++
	}
	return held
}

// epochs are those of all partitions.
func (w *world) epochs() []uint64 {
	w.t.Helper()
	all := make([]uint64, w.partitions)
	for p := range all {
		status, err := w.store.Inspect(context.Background(), p)
		require.NoError(w.t, err)
		all[p] = status.Epoch
	}
	return all
}

// shared waits until the partitions are held so.
func (w *world) shared(want map[string]int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return maps.Equal(w.owners(), want) }, patience, lookTick, "%v", want)
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	t.Run("processes share the streams evenly, and one that ends hands its streams over", func(t *testing.T) {
		t.Parallel()
		w := newWideWorld(t, 8, 4)
		all := ids("account", 100, 20)
		w.write(all[:50]...)
		first, second := w.join("first", Config{}), w.join("second", Config{})
		w.shared(map[string]int{"first": 4, "second": 4})
		w.becomes(total{counted: 50})
		first.ready()
		second.ready()
		w.write(all[50:75]...)
		first.stop()
		w.shared(map[string]int{"second": 8})
		w.write(all[75:]...)
		w.becomes(total{counted: 100})
		second.ready()
		require.Zero(t, first.counter("hale_scoring_stream_restarts", "", ""), "a handover is no failure")
	})
	t.Run("one that comes takes its share when it has settled, and nothing is counted twice", func(t *testing.T) {
		t.Parallel()
		w := newWideWorld(t, 8, 4)
		first := w.join("first", Config{})
		w.shared(map[string]int{"first": 8})
		w.write(ids("a", 40, 8)...)
		second := w.join("second", Config{})
		w.shared(map[string]int{"first": 4, "second": 4})
		w.write(ids("b", 40, 8)...)
		w.becomes(total{counted: 80})
		first.ready()
		second.ready()
	})
	t.Run("processes that come and go every second move nothing", func(t *testing.T) {
		t.Parallel()
		w := newWideWorld(t, 8, 4)
		first, second := w.join("first", Config{}), w.join("second", Config{})
		w.shared(map[string]int{"first": 4, "second": 4})
		first.ready()
		second.ready()
		require.Eventually(t, func() bool { // those that begin together share from the start
			live := first.deps.Group.Live()
			return len(live) == 2 && min(live[0].Up, live[1].Up) > 4*time.Second
		}, patience, lookTick)
		steady := w.epochs()
		for n := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, w.member(fmt.Sprint("passer-by ", n), fold.Rules).Run(ctx), context.DeadlineExceeded)
			cancel()
			require.Equal(t, steady, w.epochs(), "no partition was claimed")
		}
		w.write(ids("a", 30, 9)...)
		w.becomes(total{counted: 30})
		require.Equal(t, map[string]int{"first": 4, "second": 4}, w.owners())
	})
	t.Run("one that folds by older rules stands by", func(t *testing.T) {
		t.Parallel()
		w := newWideWorld(t, 4, 2)
		newer := w.member("newer", fold.Rules+1)
		r := w.start(Config{}, func(d *Deps) { d.Group = newer })
		older := w.join("older", Config{})
		w.shared(map[string]int{"newer": 4})
		older.ready()
		require.Eventually(t, func() bool { return older.alarms(codeMixedVersions) > 0 }, patience, lookTick)
		r.stop()
		w.shared(map[string]int{"older": 4})
	})
	t.Run("a lease of a process that is gone is waited for, and says so", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		dead := store.Lease{Owner: "dead", Deployment: w.log.Layout().ID, TTL: leaseTTL}
		_, err := w.store.Claim(t.Context(), 0, dead)
		require.NoError(t, err)
		r := w.join("alive", Config{})
		require.Eventually(t, func() bool {
			err := r.Ready()
			return err != nil && err.Error() == "scoring stream 0: waiting for the lease of dead"
		}, patience, lookTick)
		w.becomes(total{counted: 1})
		r.ready()
		require.Zero(t, r.counter("hale_scoring_stream_restarts", "", ""))
	})
	t.Run("a quiet partition stays in the same hands", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		w.join("first", Config{})
		w.shared(map[string]int{"first": 2})
		before, err := w.store.Inspect(t.Context(), 0)
		require.NoError(t, err)
		require.Eventually(t, func() bool { // renewed at least once: longer than it would hold alone
			now, err := w.store.Inspect(t.Context(), 0)
			return err == nil && now.Lease.TTL > before.Lease.TTL
		}, patience, lookTick)
		after, err := w.store.Inspect(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, before.Epoch, after.Epoch)
	})
}

// sick is a store whose word of itself is the test's.
type sick struct {
	store.Store

	word atomic.Pointer[store.Error]
}

func (s *sick) Check(ctx context.Context) error {
	if word := s.word.Load(); word != nil {
		return word
	}
	return s.Store.Check(ctx)
}

func TestStoreRefused(t *testing.T) {
	t.Parallel()
	t.Run("a store that begins to throw values away stops the streams until it does not any more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		ill := &sick{Store: w.store}
		w.write("a/1")
		r := w.start(Config{checkEvery: lookTick}, func(d *Deps) { d.Store = ill })
		w.becomes(total{counted: 1})
		r.ready()
		ill.word.Store(&store.Error{Reason: store.ReasonEvictingPolicy, Message: "allkeys-lru"})
		require.Eventually(t, func() bool { return r.Ready() != nil }, patience, lookTick)
		w.write("a/2")
		require.Eventually(t, func() bool { return r.alarms(codeStoreRefused) > 1 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "store_refused: store: allkeys-lru")
		require.Equal(t, total{counted: 1}, w.total())
		ill.word.Store(nil)
		w.becomes(total{counted: 2})
		r.ready()
	})
}

func TestForeignDeployment(t *testing.T) {
	t.Parallel()
	// strangers are two logs on one store by mistake; the first was scored.
	strangers := func(t *testing.T) (first, second *world) {
		t.Helper()
		first, second = newWorld(t, 1), newWorld(t, 1)
		second.store = first.store
		first.write("a/1", "b/1")
		second.write("x/1")
		return first, second
	}
	t.Run("two deployments that run on one store: the second says so and touches nothing", func(t *testing.T) {
		t.Parallel()
		first, second := strangers(t)
		first.join("first", Config{})
		first.becomes(total{counted: 2})
		r := second.join("second", Config{Adopt: true})
		require.Eventually(t, func() bool { return r.alarms(codeForeignDeployment) > 0 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "foreign_deployment: partition 0 is scored by first, of another deployment")
		first.write("c/1")
		first.becomes(total{counted: 3})
	})
	t.Run("a store with the state of a log that nobody scores is not touched either", func(t *testing.T) {
		t.Parallel()
		first, second := strangers(t)
		first.fold(total{counted: 2})
		r := second.start(Config{})
		require.Eventually(t, func() bool { return r.alarms(codeForeignDeployment) > 0 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "--scoring-adopt")
		require.Equal(t, total{counted: 2}, first.total())
	})
	t.Run("unless it is told to take it over", func(t *testing.T) {
		t.Parallel()
		first, second := strangers(t)
		first.fold(total{counted: 2})
		r := second.start(Config{Adopt: true})
		second.becomes(total{counted: 1, generation: 1})
		r.ready()
		require.Equal(t, int64(1), r.alarms(codeForeignDeployment))
		_, there := second.result("a")
		require.False(t, there)
	})
}

func TestNewerState(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *fold.State) []byte{
		"rules of a newer program": func(s *fold.State) []byte { s.Rules = fold.Rules + 1; return s.Encode() },
		"a format of a newer one":  func(s *fold.State) []byte { return slices.Concat([]byte{250}, s.Encode()[1:]) },
	} {
		t.Run("a state with "+name+" is left alone", func(t *testing.T) {
			t.Parallel()
			w := folded(t, "a/1")
			head, err := w.store.Claim(t.Context(), 0, store.Lease{})
			require.NoError(t, err)
			state, err := fold.DecodeState(head.State)
			require.NoError(t, err)
			newer := change(&state)
			require.NoError(t, w.store.Commit(t.Context(), &store.Commit{
				Epoch: head.Epoch, Generation: head.Generation, From: head.Cursor, Cursor: head.Cursor, State: newer,
			}))
			r := w.start(Config{})
			require.Eventually(t, func() bool { return r.alarms(codeNewerState) > 0 }, patience, lookTick)
			require.ErrorContains(t, r.Ready(), "newer_state")
			after, err := w.store.Inspect(t.Context(), 0)
			require.NoError(t, err)
			require.Equal(t, newer, after.State)
		})
	}
}
