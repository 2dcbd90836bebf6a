package notify_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify"
	"hale.dev/services/notify/internal/sender"
)

func TestTakeover(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	leader := func(name string) notify.Leader {
		l, err := notify.NewLeader(t.Context(), w.js, notify.LeaderOptions{Key: "notify", Name: name, TTL: time.Second})
		require.NoError(t, err)

		return l
	}

	first, second := w.deps(), w.deps()
	first.Leader, second.Leader = leader("first"), leader("second")
	stop, ready := w.run(first)
	stopSecond, readySecond := w.run(second)

	for i := range 10 {
		w.append(transition(string(rune('a'+i)), 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_CRITICAL))
	}

	w.settled()
	require.NoError(t, ready())
	require.NoError(t, readySecond(), "who stands by is ready")

	once := map[string]int{}

	for _, one := range w.inbox.all() {
		for _, tr := range one.n.Alerts {
			once[one.receiver+tr.GetTransitionId()]++
		}
	}

	for id, n := range once {
		require.Equal(t, 1, n, "two processes do not deliver twice: %s", id)
	}

	stop()

	begin := time.Now()

	w.append(transition("late", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_CRITICAL))
	found := w.settled()
	require.Less(t, time.Since(begin), 10*time.Second)
	require.Contains(t, found, "page/late-1")
	stopSecond()
	require.Error(t, readySecond())
}

func TestStandby(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	leader, err := notify.NewLeader(t.Context(), w.js, notify.LeaderOptions{Key: "notify", Name: "first", TTL: 2 * time.Second})
	require.NoError(t, err)

	d := w.deps()
	d.Leader, d.Journal = leader, broken{w.journal}
	stop, ready := w.run(d)

	defer stop()

	eventually(t, "it leads, and cannot deliver", func() bool { return errors.Is(ready(), errBroken) })

	kv, err := w.js.KeyValue(t.Context(), "hale_leases")
	require.NoError(t, err)
	_, err = kv.PutString(t.Context(), "notify", "another")
	require.NoError(t, err)

	eventually(t, "who stands by is ready, whatever was wrong before", func() bool { return ready() == nil })
}

var errBroken = errors.New("broken")

// broken is a journal that cannot be read.
type broken struct{ notify.Journal }

func (broken) Load(context.Context, func(delivery.Entry) error) error { return errBroken }

func TestDeadLetters(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.inbox.before = func(context.Context, string, *sender.Notification) error {
		return &sender.Error{Permanent: true, Status: 410, Reason: "gone"}
	}

	stop, _ := w.run(w.deps())
	w.append(transition("a", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_CRITICAL))
	w.settled()
	stop()

	letters, next, err := w.journal.DeadLetters(t.Context(), workspace, 0, 1)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, []string{"a"}, letters[0].Alerts())
	require.Equal(t, "the receiver answered 410: gone", letters[0].Reason)
	require.NotZero(t, next)

	more, next, err := w.journal.DeadLetters(t.Context(), workspace, next, 10)
	require.NoError(t, err)
	require.Len(t, more, 1, "that of the other receiver")
	require.Zero(t, next)

	shown, err := w.journal.Of(t.Context(), workspace, "a")
	require.NoError(t, err)
	require.Len(t, shown, 2)
	require.Equal(t, alertv1.Delivery_STATUS_DEAD, shown[0].GetStatus())
	require.EqualValues(t, 1, shown[0].GetAttempts())

	w.inbox.before = nil

	require.NoError(t, w.journal.AskResend(t.Context(), workspace, letters[0].ID))
	require.NoError(t, w.journal.AskResend(t.Context(), workspace, "unknown"))

	stop, _ = w.run(w.deps())

	require.Eventually(t, func() bool {
		n, ok := w.records()[letters[0].ID].(*delivery.Notice)

		return ok && n.Status == delivery.StatusDelivered
	}, patience, 20*time.Millisecond)
	stop()

	left, _, err := w.journal.DeadLetters(t.Context(), workspace, 0, 10)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, letters[0].ID, w.inbox.all()[0].n.ID, "under the same id")

	removed, err := w.journal.Sweep(t.Context(), time.Now().Add(time.Hour), func(delivery.Record) bool { return false })
	require.NoError(t, err)
	require.Equal(t, 4, removed, "two deliveries, two notices; the cursor stays")
	require.Len(t, w.records(), 1)
}
