package notify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/sender"
)

// bound lets NOTIFY take only so much more than it has; less than 0: as much as comes.
func (w *world) bound(more int64) {
	stream, err := w.js.Stream(context.Background(), "NOTIFY")
	require.NoError(w.t, err)

	config := stream.CachedInfo().Config

	config.MaxBytes = -1
	if more >= 0 {
		config.MaxBytes = int64(stream.CachedInfo().State.Bytes) + more
	}

	_, err = w.js.UpdateStream(context.Background(), config)
	require.NoError(w.t, err)
}

func TestFull(t *testing.T) {
	t.Parallel()

	t.Run("what cannot be written waits, with an alarm, and is delivered when there is room", func(t *testing.T) {
		t.Parallel()

		w := newWorld(t)
		w.append(transition("a", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_WARNING))

		stop, ready := w.run(w.deps())
		defer stop()

		w.settled()
		require.Equal(t, 1, w.sent("chat", "a-1"))
		w.bound(10)

		for _, id := range []string{"b", "c", "d"} {
			w.append(transition(id, 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_WARNING))
		}

		require.Eventually(t, func() bool { return w.alarms("notify_full") > 0 }, patience, time.Millisecond)
		require.ErrorIs(t, ready(), delivery.ErrFull)
		require.Contains(t, w.log.String(), "code=notify_full")

		full := w.clock.Now()
		require.Eventually(t, func() bool { return w.clock.Now().Sub(full) > time.Minute }, patience, time.Millisecond)
		require.EqualValues(t, 1, w.alarms("notify_full"), "once, and not at every try")
		require.Zero(t, w.sent("chat", "b-1"), "nothing is sent that is not written")

		w.bound(-1)
		w.settled()

		for _, id := range []string{"b-1", "c-1", "d-1"} {
			require.Equal(t, 1, w.sent("chat", id))
		}

		require.Eventually(t, func() bool { return ready() == nil }, patience, time.Millisecond)
	})

	t.Run("a try of which nothing can be written is not made again until there is room", func(t *testing.T) {
		t.Parallel()

		var (
			w     = newWorld(t)
			tries int
			mu    sync.Mutex
		)

		made := func() int {
			mu.Lock()
			defer mu.Unlock()

			return tries
		}

		w.inbox.before = func(context.Context, string, *sender.Notification) error {
			mu.Lock()
			defer mu.Unlock()

			if tries++; tries == 1 {
				w.bound(10)

				return errors.New(strings.Repeat("not now ", 50))
			}

			return nil
		}

		stop, ready := w.run(w.deps())
		defer stop()

		w.append(transition("a", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_WARNING))
		require.Eventually(t, func() bool { return w.alarms("notify_full") > 0 }, patience, time.Millisecond)

		full := w.clock.Now()
		require.Eventually(t, func() bool { return w.clock.Now().Sub(full) > 10*time.Minute }, patience, time.Millisecond)
		require.Equal(t, 1, made(), "the receiver is left alone")
		require.ErrorIs(t, ready(), delivery.ErrFull)

		w.bound(-1)
		w.settled()
		require.Equal(t, 2, made())
		require.Equal(t, 1, w.sent("chat", "a-1"))
	})

	t.Run("old records make room", func(t *testing.T) {
		t.Parallel()

		w := newWorld(t)
		w.config.Retention = time.Hour
		w.append(
			transition("a", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_WARNING), over("a", 2),
		)

		stop, _ := w.run(w.deps())
		defer stop()

		w.settled()
		w.bound(0)

		// The server's time does not run faster, so records get old by the clock of notify alone.
		began := w.clock.Now()
		require.Eventually(t, func() bool { return w.clock.Now().Sub(began) > 2*time.Hour }, patience, time.Millisecond)

		w.append(transition("b", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_WARNING))
		w.settled()
		require.Equal(t, 1, w.sent("chat", "b-1"))
		require.EqualValues(t, 1, w.alarms("notify_full"))
		require.Contains(t, w.log.String(), "old deliveries are removed")
	})
}
