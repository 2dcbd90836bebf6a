package alertlog_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// reading is a Follow under way.
type reading struct {
	entries chan alertlog.Entry
	end     chan error
	stop    context.CancelFunc
}

func startReading(t testing.TB, l *alertlog.Log, after uint64) *reading {
	t.Helper()

	ctx, stop := context.WithCancel(ctxOf(t))
	r := &reading{entries: make(chan alertlog.Entry, 10_000), end: make(chan error, 1), stop: stop}

	go func() {
		r.end <- l.Follow(ctx, alertlog.Place{Sequence: after}, func(e alertlog.Entry) error {
			r.entries <- e

			return nil
		})
	}()

	return r
}

// requireNext fails unless the next records are these, at the next sequences.
func (r *reading) requireNext(t testing.TB, first uint64, all []*logv1.AlertRecord) {
	t.Helper()

	for i, want := range all {
		select {
		case e := <-r.entries:
			require.Equal(t, first+uint64(i), e.Sequence)
			require.Equal(t, want.GetTransition().GetTransitionId(), e.Record.GetTransition().GetTransitionId())
			require.False(t, e.Time.IsZero())
		case err := <-r.end:
			t.Fatalf("ended at record %d: %v", i, err)
		case <-ctxOf(t).Done():
			t.Fatalf("record %d does not come", i)
		}
	}
}

func (r *reading) requireEnd(t testing.TB) {
	t.Helper()
	r.stop()
	require.ErrorIs(t, <-r.end, context.Canceled)
	require.Empty(t, r.entries)
}

func purge(t *testing.T, js jetstream.JetStream, o ...jetstream.StreamPurgeOpt) {
	t.Helper()

	stream, err := js.Stream(ctxOf(t), "ALERTS")
	require.NoError(t, err)
	require.NoError(t, stream.Purge(ctxOf(t), o...))
}

func TestFollow(t *testing.T) {
	t.Parallel()

	t.Run("gives what is there, and then what comes", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		all := records("a", 20)
		last := add(t, l, 0, 0, all[:10]...)
		r := startReading(t, l, 4)
		r.requireNext(t, 5, all[4:10])
		add(t, l, 0, last, all[10:]...)
		r.requireNext(t, 11, all[10:])
		r.requireEnd(t)
	})

	t.Run("loses and repeats nothing while the server is away", func(t *testing.T) {
		t.Parallel()

		l, stop, start := stoppable(t)
		all := records("a", 30)
		last := add(t, l, 0, 0, all[:10]...)
		r := startReading(t, l, 0)
		r.requireNext(t, 1, all[:10])
		stop()

		_, err := l.Append(ctxOf(t), 0, last, all[10:20])
		require.ErrorIs(t, err, alertlog.ErrUnavailable)
		start()
		require.Eventually(t, func() bool {
			last, err = l.Append(ctxOf(t), 0, 10, all[10:20])

			return err == nil
		}, patience, often)
		add(t, l, 0, last, all[20:]...)
		r.requireNext(t, 11, all[10:])
		r.requireEnd(t)
	})

	t.Run("ends with what its function says", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		add(t, l, 0, 0, records("a", 3)...)
		require.Len(t, follow(t, l, 1), 2)
	})

	t.Run("says that records behind the place were dropped", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		all := records("a", 10)
		add(t, l, 0, 0, all...)
		purge(t, js, jetstream.WithPurgeSequence(6))

		require.ErrorIs(t, l.Follow(ctxOf(t), alertlog.Place{Sequence: 3}, nil), alertlog.ErrGone)
		require.Equal(t, ids(all[5:]), follow(t, l, 5), "what is still there is there")
		require.Equal(t, ids(all[5:]), follow(t, l, 0), "after 0 is whatever there is")

		purge(t, js)
		require.ErrorIs(t, l.Follow(ctxOf(t), alertlog.Place{Sequence: 9}, nil), alertlog.ErrGone)

		r := startReading(t, l, 10)
		add(t, l, 0, 10, record("b", 1))
		r.requireNext(t, 11, []*logv1.AlertRecord{record("b", 1)})
		r.requireEnd(t)
	})

	t.Run("says that the stream is another one, or ends before the place", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		add(t, l, 0, 0, records("a", 3)...)
		require.ErrorIs(t, l.Follow(ctxOf(t), alertlog.Place{Sequence: 4}, nil), alertlog.ErrGone)

		r := startReading(t, l, 3)
		add(t, l, 0, 3, record("c", 1))
		r.requireNext(t, 4, []*logv1.AlertRecord{record("c", 1)}) // it has seen the stream
		again := remake(t, js)
		add(t, again, 0, 0, records("b", 4)...)
		require.ErrorIs(t, <-r.end, alertlog.ErrGone)
		r.stop()
	})
}

func TestLatest(t *testing.T) {
	t.Parallel()

	latest := func(t *testing.T, l *alertlog.Log) (map[string]uint32, uint64) {
		t.Helper()

		found := map[string]uint32{}
		before := uint64(0)
		last, err := l.Latest(ctxOf(t), func(e alertlog.Entry) error {
			require.Greater(t, e.Sequence, before)
			before = e.Sequence
			alert := e.Record.GetTransition().GetAlert()
			found[alert.GetAlertId()] = alert.GetRevision()

			return nil
		})
		require.NoError(t, err)
		require.NotZero(t, last.Stream)

		return found, last.Sequence
	}

	t.Run("of an empty stream is nothing", func(t *testing.T) {
		t.Parallel()

		found, last := latest(t, newLog(t))
		require.Empty(t, found)
		require.Zero(t, last)
	})

	t.Run("gives the newest record of each alert, and where to follow", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		want := map[string]uint32{}
		after := map[int]uint64{}

		for i := range 600 {
			alert := fmt.Sprintf("a%d", i%150)
			want[alert]++
			p := i % 7
			after[p] = add(t, l, p, after[p], record(alert, want[alert]))
		}

		found, last := latest(t, l)
		require.Equal(t, want, found)
		require.EqualValues(t, 600, last)
		require.Empty(t, follow(t, l, last))
		add(t, l, 0, after[0], record("z", 1))
		require.Equal(t, []string{"z-1"}, follow(t, l, last))
	})

	t.Run("of a stream that has lost all for its age goes on at its end", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		add(t, l, 0, 0, records("a", 5)...)
		purge(t, js)

		found, last := latest(t, l)
		require.Empty(t, found)
		require.EqualValues(t, 5, last)
	})

	t.Run("notices that another stream takes the place of the first", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		add(t, l, 0, 0, records("a", 2)...)

		_, err := l.Latest(ctxOf(t), func(e alertlog.Entry) error {
			if e.Sequence == 2 {
				remake(t, js)
			}

			return nil
		})
		require.ErrorIs(t, err, alertlog.ErrGone)
	})

	t.Run("ends with what its function says", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		add(t, l, 0, 0, record("a", 1))
		_, err := l.Latest(ctxOf(t), func(alertlog.Entry) error { return errEnough })
		require.ErrorIs(t, err, errEnough)
	})
}

func TestTrail(t *testing.T) {
	t.Parallel()

	l := newLog(t)
	last := uint64(0)

	for n := range uint32(600) {
		last = add(t, l, 5, last, record("a", n+1), record("b", n+1))
	}

	for _, tc := range []struct {
		name      string
		partition int
		alert     string
		want      int
	}{
		{"is all that happened to the alert, in order", 5, "a", 600},
		{"of another partition is nothing", 4, "a", 0},
		{"of an alert that is not there is nothing", 5, "c", 0},
		{"of what is no id is nothing, and not everybody's", 5, "*", 0},
		{"of no id is nothing", 5, "", 0},
		{"of no partition is nothing", -1, "a", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			trail := trailOf(t, l, tc.partition, tc.alert)
			require.Len(t, trail, tc.want)

			for i, r := range trail {
				require.Equal(t, fmt.Sprintf("%s-%d", tc.alert, i+1), r.GetTransition().GetTransitionId())
			}
		})
	}
}
