package scoring

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// claimed returns the worker of partition 0, driven by the test instead of its goroutine. The log holds one
// message with an event for each id, which is folded and committed, and one that begins a sweep, which is folded.
func claimed(t *testing.T, ids []string) (*world, *worker) {
	t.Helper()
	w := newWorld(t, 1)
	events := make([]*logv1.Record, len(ids))
	for i, id := range ids {
		events[i] = event(id)
	}
	w.records("any", events...)
	w.records("any", &logv1.Record{Workspace: "default", Payload: &logv1.Record_SetScorecards{
		SetScorecards: &logv1.SetScorecards{Version: 1, Document: scorecard.ShippedDocument()},
	}})
	s, err := New(Config{}, w.deps(sdkmetric.NewManualReader()))
	require.NoError(t, err)
	heads, err := s.claim(t.Context(), 0)
	require.NoError(t, err)
	o := &owner{service: s}
	require.NoError(t, o.open(t.Context(), heads, nil))
	wk := o.workers[0]
	for seq := range uint64(2) {
		m, err := w.log.MessageAt(t.Context(), 0, seq+1)
		require.NoError(t, err)
		require.NoError(t, wk.takeIn(t.Context(), order{message: &m}))
		if seq == 0 {
			require.NoError(t, wk.drain(t.Context()))
		}
	}
	require.True(t, wk.partition.Sweeping())
	return w, wk
}

func TestSweepBound(t *testing.T) {
	t.Parallel()
	const accounts = 4*defaultSlice + 7
	w, wk := claimed(t, ids("account", accounts, accounts))
	require.Equal(t, total{counted: accounts}, w.total())
	wk.accounts.limit = upTo(0)
	steps := 0
	for wk.partition.Sweeping() {
		require.NoError(t, wk.advance(t.Context(), nil))
		require.NoError(t, wk.committed(<-wk.done))
		if steps++; steps > 1 { // the first step still finds what the message left
			require.LessOrEqual(t, len(wk.accounts.entries), 2*defaultSlice, "a sweep must not bring the whole partition into memory")
		}
	}
	require.GreaterOrEqual(t, steps, 5)
	for _, account := range []string{"account0", "account1000", "account2054"} {
		got, ok := w.result(account)
		require.True(t, ok)
		require.Equal(t, uint64(1), got.SetVersion)
	}
}

func TestReadFenced(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, s store.Store, epoch uint64){
		"another owner": func(t *testing.T, s store.Store, _ uint64) {
			t.Helper()
			_, err := s.Claim(t.Context(), 0, store.Lease{})
			require.NoError(t, err)
		},
		"a reset": func(t *testing.T, s store.Store, epoch uint64) {
			t.Helper()
			_, err := s.Reset(t.Context(), 0, epoch)
			require.NoError(t, err)
		},
	} {
		t.Run("a sweep after "+name+" is fenced before it uses what it read", func(t *testing.T) {
			t.Parallel()
			w, wk := claimed(t, []string{"a/1", "b/1"})
			lose(t, w.store, wk.epoch)
			require.ErrorIs(t, wk.sweepSlice(t.Context()), store.ErrFenced)
			require.ErrorIs(t, wk.fetch(t.Context(), []string{"a"}), store.ErrFenced)
		})
	}
	t.Run("a store that fell back behind what was committed is noticed", func(t *testing.T) {
		t.Parallel()
		w, wk := claimed(t, []string{"a/1"})
		fallen := newStore(t)
		h, err := fallen.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		require.Equal(t, h.Epoch, wk.epoch)
		wk.service.deps.Store = fallen
		require.ErrorIs(t, wk.sweepSlice(t.Context()), store.ErrFenced)
		require.ErrorIs(t, wk.renew(t.Context()), store.ErrFenced, "a quiet partition has no commit to notice it by")
		wk.service.deps.Store = w.store
		require.NoError(t, wk.renew(t.Context()))
		require.NoError(t, wk.sweepSlice(t.Context()))
	})
}

func TestForeignPartition(t *testing.T) {
	t.Parallel()
	_, wk := claimed(t, []string{"a/1"})
	o := &owner{service: wk.service, workers: map[int]*worker{0: wk}}
	err := o.dispatch(t.Context(), &eventlog.Message{Partition: 7, Sequence: 1})
	var alarm *AlarmError
	require.ErrorAs(t, err, &alarm)
	require.Equal(t, "foreign_partition", alarm.Code)
	require.ErrorContains(t, err, "partition 7")
}
