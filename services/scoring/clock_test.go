package scoring

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClockAhead(t *testing.T) {
	t.Parallel()
	t.Run("a message far ahead of the clock stops the partition until the clock agrees", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		c := newClock(time.Now().Add(-clockTolerance - time.Minute))
		r := w.start(Config{Now: c.now})
		require.Eventually(t, func() bool { return r.alarms("clock_ahead") > 0 }, patience, lookTick)
		require.ErrorContains(t, r.Ready(), "ahead of this clock")
		require.Zero(t, w.total())
		c.set(time.Now())
		w.becomes(total{counted: 1})
		r.ready()
	})
	t.Run("a message a little ahead of the clock is folded", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		c := newClock(time.Now().Add(-clockTolerance + time.Minute))
		r := w.start(Config{Now: c.now})
		w.becomes(total{counted: 1})
		r.ready()
		require.Zero(t, r.alarms("clock_ahead"))
	})
	t.Run("a service that was ready stands still, and is ready again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		c := newClock(time.Now())
		r := w.start(Config{Now: c.now})
		r.ready()
		c.set(time.Now().Add(-time.Hour))
		w.write("a/2")
		require.Eventually(t, func() bool { return r.Ready() != nil }, patience, lookTick)
		require.Equal(t, total{counted: 1}, w.total())
		c.set(time.Now())
		w.becomes(total{counted: 2})
		r.ready()
	})
	t.Run("a service that ends while it stands still ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		r := w.start(Config{Now: newClock(time.Now().Add(-time.Hour)).now})
		require.Eventually(t, func() bool { return r.alarms("clock_ahead") > 0 }, patience, lookTick)
		r.stop()
		require.Zero(t, w.total())
	})
	t.Run("standing still does not hide that the stream caught up meanwhile", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		s, err := New(Config{}, w.start(Config{}).deps)
		require.NoError(t, err)
		s.setState(0, "catching up")
		s.hold(0, "standing still")
		s.setState(0, "")
		require.ErrorContains(t, s.Ready(), "standing still")
		s.hold(0, "")
		require.NoError(t, s.Ready())
	})
}

func TestTicks(t *testing.T) {
	t.Parallel()
	t.Run("an hour of silence is filled with ticks", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		c := newClock(time.Now())
		w.start(Config{Now: c.now})
		w.becomes(total{counted: 1})
		for i, now := range []time.Time{
			time.Now().Add(silence + time.Minute),
			time.Now().Add(silence + time.Minute + tickPatience), // the server's clock has not moved: still silent
		} {
			c.set(now)
			last := uint64(2 + i)
			require.Eventually(t, func() bool {
				info, err := w.log.Info(t.Context(), 0)
				return err == nil && info.Last == last
			}, patience, lookTick)
			m, err := w.log.MessageAt(t.Context(), 0, last)
			require.NoError(t, err)
			require.Len(t, m.Records, 1)
			require.NotNil(t, m.Records[0].GetTick())
		}
	})
	t.Run("every partition that never had a message gets one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 4)
		w.start(Config{Now: newClock(time.Now()).now})
		require.Eventually(t, func() bool {
			for p := range 4 {
				head, _, err := w.store.Read(t.Context(), p)
				if err != nil || head.Cursor == 0 {
					return false
				}
			}
			return true
		}, patience, lookTick)
		info, err := w.log.Info(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, uint64(4), info.Last)
	})
}
