package scoring

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
)

// lagging is the log of a cluster whose leader does not show its last message for some answers.
type lagging struct {
	*eventlog.Log

	answers atomic.Int64
}

func (l *lagging) Layout() eventlog.Layout {
	layout := l.Log.Layout()
	layout.Replicas = 3
	return layout
}

func (l *lagging) Info(ctx context.Context, stream int) (eventlog.StreamInfo, error) {
	info, err := l.Log.Info(ctx, stream)
	if l.answers.Add(-1) >= 0 {
		info.Last--
	}
	return info, err
}

func TestLeaderBehind(t *testing.T) {
	t.Parallel()
	t.Run("a leader that does not show the end of the log yet is no lost tail", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2")
		l := &lagging{Log: w.log}
		l.answers.Store(tailTries - 1)
		r := w.start(Config{tailPause: lookTick}, func(d *Deps) { d.Log = l })
		r.ready()
		require.Zero(t, r.alarms(codeLogLostTail))
		require.Equal(t, total{counted: 2}, w.total())
	})
	t.Run("one that never shows it is", func(t *testing.T) {
		t.Parallel()
		w := folded(t, "a/1", "a/2")
		l := &lagging{Log: w.log}
		l.answers.Store(tailTries + 1)
		r := w.start(Config{tailPause: lookTick}, func(d *Deps) { d.Log = l })
		w.becomes(total{counted: 2, generation: 1})
		require.Equal(t, int64(1), r.alarms(codeLogLostTail))
	})
}
