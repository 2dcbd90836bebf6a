package scoring

import (
	"testing"

	"github.com/stretchr/testify/require"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

func TestPressure(t *testing.T) {
	t.Parallel()
	t.Run("ingest is told before the memory for message ids is full, and again when ids got old", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		raised := func(want bool) {
			t.Helper()
			require.Eventually(t, func() bool {
				got, err := w.pressure.Raised(t.Context(), pressureName(0))
				return err == nil && got == want
			}, patience, lookTick)
		}
		w.write(ids("a", 9, 3)...)
		r := w.start(Config{MaxMessageIDs: 10})
		raised(true)
		r.stop()
		r = w.start(Config{MaxMessageIDs: 100})
		r.ready()
		w.records("a", &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}})
		raised(false)
	})
	t.Run("a full memory stops the partition and loses nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write(ids("a", 15, 3)...)
		r := w.start(Config{MaxMessageIDs: 10})
		require.Eventually(t, func() bool { return r.alarms("dedupe_full") > 0 }, patience, lookTick)
		require.Error(t, r.Ready())
		r.stop()
		w.fold(total{counted: 15})
	})
}
