package notify_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
)

const (
	fired    = alertv1.Transition_KIND_FIRED
	critical = alertv1.Severity_SEVERITY_CRITICAL
	warning  = alertv1.Severity_SEVERITY_WARNING
)

// TestGone loses records of ALERTS before notify has read them.
func TestGone(t *testing.T) {
	t.Parallel()

	t.Run("what is left is told, what was told is not, and there is an alarm", func(t *testing.T) {
		t.Parallel()

		w := told(t, "a", "b")

		w.append(transition("c", 1, fired, critical), transition("d", 1, fired, critical), over("b", 2))

		stream, err := w.js.Stream(t.Context(), "ALERTS")
		require.NoError(t, err)
		require.NoError(t, stream.Purge(t.Context(), jetstream.WithPurgeSequence(4)))

		stop, ready := w.run(w.deps())
		defer stop()

		found := w.settled()
		require.NotContains(t, found, "page/c-1", "it was lost")
		require.EqualValues(t, 1, w.alarms("alerts_gone"))
		require.Contains(t, w.log.String(), "code=alerts_gone")
		require.Eventually(t, func() bool { return ready() == nil }, patience, time.Millisecond)

		w.append(over("a", 2), transition("e", 1, fired, critical))
		w.settled()

		w.requireOnce("a-1", "b-1", "d-1", "b-2", "a-2", "e-1")

		require.EqualValues(t, 1, w.alarms("alerts_gone"), "once")
	})

	t.Run("a stream that was made again and holds the same in another order is not told again", func(t *testing.T) {
		t.Parallel()

		w := told(t, "a", "b", "c")

		w.remakeAlerts()
		w.append(transition("c", 1, fired, critical))

		stop, ready := w.run(w.deps())
		defer stop()

		require.Eventually(t, func() bool { return w.alarms("alerts_gone") == 1 }, patience, time.Millisecond)

		for _, id := range []string{"c", "b", "a", "d"} { // one by one, so that the cursor moves in between
			if id != "c" {
				w.append(transition(id, 1, fired, critical))
			}

			w.settled()
		}

		w.requireOnce("a-1", "b-1", "c-1", "d-1")

		require.NoError(t, ready())
		require.NotContains(t, w.log.String(), delivery.ErrFenced.Error())
		require.EqualValues(t, 1, w.records()["cursor"].(*delivery.Cursor).Generation)
	})

	t.Run("a stream that was made again and goes beyond the place is read from its begin", func(t *testing.T) {
		t.Parallel()

		w := told(t, "a", "b")

		w.remakeAlerts()
		w.append(transition("c", 1, fired, critical), transition("d", 1, fired, critical), transition("e", 1, fired, critical))

		stop, _ := w.run(w.deps())
		defer stop()

		require.Eventually(t, func() bool { return w.alarms("alerts_gone") == 1 }, patience, time.Millisecond)
		w.settled()

		w.requireOnce("a-1", "b-1", "c-1", "d-1", "e-1")
	})

	t.Run("what is older than deliveries are kept is not told, and it is recorded why", func(t *testing.T) {
		t.Parallel()

		w := told(t, "a", "b")

		w.remakeAlerts()

		long := transition("old", 1, fired, critical)
		long.Transition.At = timestamppb.New(w.clock.Now().AddDate(0, 0, -40))
		w.append(long)

		stop, _ := w.run(w.deps())
		defer stop()

		require.Eventually(t, func() bool { return w.alarms("alerts_gone") == 1 }, patience, time.Millisecond)
		require.Equal(t, delivery.ReasonOutdated, w.settled()["page/old-1"].(*delivery.Delivery).Skipped)
		require.Zero(t, w.sent("page", "old-1"))
	})
}

// told makes a world in which notify told of alerts and was stopped.
func told(t *testing.T, alerts ...string) *world {
	t.Helper()

	records := make([]*logv1.AlertRecord, len(alerts))
	for i, id := range alerts {
		records[i] = transition(id, 1, fired, critical)
	}

	w := newWorld(t)
	w.append(records...)

	stop, _ := w.run(w.deps())
	w.settled()
	stop()

	return w
}

// requireOnce requires that the receiver was told of each transition once.
func (w *world) requireOnce(ids ...string) {
	w.t.Helper()

	for _, id := range ids {
		require.Equal(w.t, 1, w.sent("page", id), id)
	}
}

// remakeAlerts puts an empty stream in the place of ALERTS.
func (w *world) remakeAlerts() {
	require.NoError(w.t, w.js.DeleteStream(w.t.Context(), "ALERTS"))

	var err error
	w.alerts, err = alertlog.Open(w.t.Context(), w.js, alertlog.Options{})
	require.NoError(w.t, err)

	w.last = 0
}
