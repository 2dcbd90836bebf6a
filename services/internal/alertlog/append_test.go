package alertlog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

func TestAppend(t *testing.T) {
	t.Parallel()

	t.Run("keeps records as they came, in order", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		all := []*logv1.AlertRecord{record("a", 1), record("b", 1), record("a", 2)}
		last := add(t, l, 3, 0, all...)
		require.EqualValues(t, 3, last)
		require.EqualValues(t, 4, add(t, l, 3, last, record("b", 2)))

		require.Equal(t, []string{"a-1", "b-1", "a-2", "b-2"}, follow(t, l, 0))

		trail := trailOf(t, l, 3, "a")
		require.Len(t, trail, 2)
		require.Equal(t, all[2].String(), trail[1].String())
	})

	t.Run("of nothing is nothing", func(t *testing.T) {
		t.Parallel()
		require.EqualValues(t, 7, add(t, newLog(t), 0, 7))
	})

	t.Run("again adds nothing, and tells where they are", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		all := records("a", 1200)
		last := add(t, l, 0, 0, all...)
		require.EqualValues(t, 1200, last)
		require.Equal(t, last, add(t, l, 0, 0, all...))
		require.EqualValues(t, 700, add(t, l, 0, 0, all[:700]...), "not beyond those that were given")
		require.EqualValues(t, 1201, add(t, l, 0, 0, append(all[900:], record("z", 1))...))
		require.Equal(t, append(ids(all), "z-1"), follow(t, l, 0))
	})

	t.Run("from an old place skips what is there already", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		all := records("a", 10)
		place := add(t, l, 0, 0, all[:3]...)
		add(t, l, 1, 0, records("other", 5)...)
		add(t, l, 0, place, all[3:6]...)
		add(t, l, 0, place, all[3:]...)
		require.Equal(t, ids(all), partition(t, l, "a"))
	})

	t.Run("partitions do not hinder each other", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)

		var group sync.WaitGroup
		for p := range 12 {
			group.Go(func() {
				prefix := fmt.Sprintf("p%d_", p)
				after := uint64(0)

				for i := range 3 {
					last, err := l.Append(ctxOf(t), p, after, records(fmt.Sprintf("%s%d_", prefix, i), 7))
					if err != nil {
						t.Error(err)
					}

					after = last
				}
			})
		}

		group.Wait()

		last, err := l.Last(ctxOf(t))
		require.NoError(t, err)
		require.EqualValues(t, 12*3*7, last.Sequence, "and need no second try")
	})

	t.Run("refuses what has no id, or one that is no token", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)

		for _, bad := range []*logv1.AlertRecord{
			{}, record("", 1), record("a.b", 1), record("*", 1), record(">", 1), record("a b", 1), record(strings.Repeat("a", 129), 1),
		} {
			_, err := l.Append(ctxOf(t), 0, 0, []*logv1.AlertRecord{record("good", 1), bad})
			require.ErrorIs(t, err, alertlog.ErrMalformed)
		}

		require.Empty(t, follow(t, l, 0))
	})

	t.Run("behind a place that the stream never had goes to the end", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		last := add(t, l, 0, 5000, record("a", 1))
		require.EqualValues(t, 1, last)
		require.EqualValues(t, 1, add(t, l, 0, 5000, record("a", 1)), "and not twice")
		require.Equal(t, []string{"a-1"}, follow(t, l, 0))
	})
}

// partition is the ids of all records whose alerts begin with a prefix.
func partition(t *testing.T, l *alertlog.Log, prefix string) []string {
	t.Helper()

	found := []string{}

	for _, id := range follow(t, l, 0) {
		if strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}

	return found
}

func TestRace(t *testing.T) {
	t.Parallel()

	for name, size := range map[string]int{"one by one": 1, "in batches": 9} {
		t.Run("writers that race over the same records, "+name+", put each there once, in order", func(t *testing.T) {
			t.Parallel()

			js := natstest.JetStream(t)
			all := records("a", 80)

			var group sync.WaitGroup
			for writer := range 3 {
				l := open(t, js, alertlog.Options{})

				group.Go(func() {
					race(t, l, all, size+writer%2)
				})
			}

			group.Wait()
			require.Equal(t, ids(all), follow(t, open(t, js, alertlog.Options{}), 0))
		})
	}
}

// race appends records, some at a time, knowing only of its own.
func race(t *testing.T, l *alertlog.Log, all []*logv1.AlertRecord, size int) {
	t.Helper()

	after := uint64(0)

	for len(all) > 0 {
		n := min(size, len(all))

		last, err := l.Append(ctxOf(t), 0, after, all[:n])
		if err != nil {
			t.Error(err)

			return
		}

		all, after = all[n:], last
	}
}

func TestLostAcknowledgement(t *testing.T) {
	t.Parallel()

	t.Run("a try whose answer did not come is repeated without a trace", func(t *testing.T) {
		t.Parallel()

		l := newLog(t)
		all := records("a", 24)
		failed, after := 0, uint64(0)

		for i := 0; i < len(all); i += 3 {
			// The context ends at some moment of the try: before it, while the server works, or after it.
			for step := 20 * time.Microsecond; ; step *= 2 {
				ctx, cancel := context.WithTimeout(ctxOf(t), step)
				last, err := l.Append(ctx, 2, after, all[i:i+3])
				cancel()

				if err == nil {
					after = last

					break
				}

				require.ErrorIs(t, err, alertlog.ErrUnavailable)
				require.Equal(t, codes.Unavailable, status.Code(errors.Unwrap(err)))
				require.Equal(t, after, last)

				failed++
			}
		}

		require.Positive(t, failed)
		require.Equal(t, ids(all), follow(t, l, 0))
	})

	t.Run("of a connection that is closed says so", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		l := open(t, js, alertlog.Options{})
		js.Conn().Close()

		_, err := l.Append(ctxOf(t), 0, 0, records("a", 2))
		require.ErrorIs(t, err, alertlog.ErrUnavailable)
		_, err = l.Last(ctxOf(t))
		require.ErrorIs(t, err, alertlog.ErrUnavailable)
		require.ErrorIs(t, l.Trail(ctxOf(t), 0, "a0", nil), alertlog.ErrUnavailable)
		_, err = l.Latest(ctxOf(t), nil)
		require.ErrorIs(t, err, alertlog.ErrUnavailable)
		require.ErrorIs(t, l.Follow(ctxOf(t), alertlog.Place{}, nil), alertlog.ErrUnavailable)
	})
}

func TestFull(t *testing.T) {
	t.Parallel()

	for name, size := range map[string]int{"one by one": 1, "in batches": 20} {
		t.Run("a stream at its cap takes no more, loses nothing, and goes on when there is room, "+name, func(t *testing.T) {
			t.Parallel()

			js := natstest.JetStream(t)
			l := open(t, js, alertlog.Options{MaxBytes: 40_000})

			var (
				all   []*logv1.AlertRecord
				after uint64
			)

			for i := 0; ; i++ {
				more := records(fmt.Sprintf("r%d_", i), size)
				all = append(all, more...)

				last, err := l.Append(ctxOf(t), 0, after, more)
				if err != nil {
					require.ErrorIs(t, err, alertlog.ErrFull)
					require.NotErrorIs(t, err, alertlog.ErrUnavailable)

					break
				}

				after = last
			}

			require.Equal(t, ids(all[:len(all)-size]), follow(t, l, 0))

			l = open(t, js, alertlog.Options{MaxBytes: 100_000})
			add(t, l, 0, after, all[len(all)-size:]...)
			require.Equal(t, ids(all), follow(t, l, 0))
		})
	}
}
