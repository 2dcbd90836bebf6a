package fold_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
)

const (
	microsOfHour = int64(time.Hour / time.Microsecond)
	hoursKept    = 14 * 24
)

// largestGap is what LargestGap says, found by looking at all times of events.
func largestGap(times []int64, now int64) int64 {
	var hours []int64
	for _, t := range times {
		if h := t / microsOfHour; h > now/microsOfHour-hoursKept {
			hours = append(hours, h)
		}
	}
	slices.Sort(hours)
	largest := int64(0)
	for i := 1; i < len(hours); i++ {
		largest = max(largest, hours[i]-hours[i-1])
	}
	return largest
}

// sourceState is what State says, found by looking at all times of events.
func sourceState(times []int64, now int64) fold.SourceState {
	if len(times) == 0 {
		return fold.SourceNever
	}
	last := slices.Max(times)
	days := map[int64]bool{}
	for _, t := range times {
		if t/microsOfHour > last/microsOfHour-hoursKept {
			days[t/microsOfHour/24] = true
		}
	}
	switch still := now - last; {
	case still <= 6*microsOfHour:
		return fold.SourceSending
	case len(days) < 7:
		return fold.SourceSparse
	case still <= 4*largestGap(times, now)*microsOfHour:
		return fold.SourceSending
	default:
		return fold.SourceSilent
	}
}

func login(id string, at time.Time) *logv1.Record {
	return event(&eventv1.Event{MessageId: id, AccountId: "a", OccurredAt: timestamppb.New(at), Body: &eventv1.Event_Login{Login: &eventv1.Login{}}})
}

// days are the first n.
func days(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestActivity(t *testing.T) {
	t.Parallel()
	t.Run("partitions know together when events came, and the longest time without", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			rigs := []*rig{newRig(t), newRig(t)}
			now := start
			var times []int64
			pauses := []int{0, 1, 20, 60, 61, 600, 3000, 21000}
			if rapid.Bool().Draw(rt, "regular") {
				pauses = []int{600, 700, 1440}
			}
			for i := range rapid.IntRange(0, 30).Draw(rt, "events") {
				now = now.Add(time.Duration(rapid.SampledFrom(pauses).Draw(rt, "minutes")) * time.Minute)
				r := rigs[rapid.IntRange(0, 1).Draw(rt, "partition")]
				r.send(now, usage(fmt.Sprint(i), "a", now))
				times = append(times, now.UnixMicro())
				if rapid.Bool().Draw(rt, "restarts") {
					r.commit()
					r.reopen()
				}
			}
			later := now.Add(time.Duration(rapid.IntRange(0, 400).Draw(rt, "hours")) * time.Hour).UnixMicro()
			x, y := rigs[0].p.Sources("w")[health.SourceUsage], rigs[1].p.Sources("w")[health.SourceUsage]
			require.Equal(rt, x.Merge(y), y.Merge(x))
			all := x.Merge(y)
			gap := largestGap(times, later)
			require.Equal(rt, gap, all.LargestGap(later))
			require.Equal(rt, sourceState(times, later), all.State(later))
			if after := all.SilentAfter(later); after != 0 {
				require.Equal(rt, max(6, 4*gap)*microsOfHour, after)
			}
			if len(times) > 0 {
				require.Equal(rt, times[len(times)-1], all.Last)
			}
		})
	})
	t.Run("tells a source that broke from one that is still", func(t *testing.T) {
		t.Parallel()
		const day = 24 * time.Hour
		for _, c := range []struct {
			name string
			// days are those with events, every so often within eight hours of each.
			days  []int
			every time.Duration
			still time.Duration
			want  fold.SourceState
		}{
			{"busy in office hours, still for 6 h", days(7), time.Hour, 6 * time.Hour, fold.SourceSending},
			{"the same, still for 2.5 d: its nights are 17 h", days(7), time.Hour, 60 * time.Hour, fold.SourceSending},
			{"the same, still for 3 d", days(7), time.Hour, 72 * time.Hour, fold.SourceSilent},
			{"the same, still for a year", days(7), time.Hour, 365 * day, fold.SourceSilent},
			{"set up a week ago", days(6), time.Hour, 365 * day, fold.SourceSparse},
			{"synced each night", days(14), day, 4 * day, fold.SourceSending},
			{"synced each night, and missed 5 times", days(14), day, 5 * day, fold.SourceSilent},
			{"on workdays, on the second day after a weekend", []int{0, 1, 2, 3, 4, 7, 8, 9, 10, 11}, time.Hour, 4 * day, fold.SourceSending},
			{"imported once", days(1), time.Minute, 30 * day, fold.SourceSparse},
			{"two meetings a week", []int{0, 3, 7, 10}, day, 10 * day, fold.SourceSparse},
			{"two meetings a week, one of them just now", []int{0, 3, 7, 10}, day, time.Hour, fold.SourceSending},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				var last time.Time
				for _, d := range c.days {
					for at := time.Duration(0); at < 8*time.Hour; at += c.every {
						last = start.Truncate(day).Add(time.Duration(d)*day + 9*time.Hour + at)
						r.send(last, login(last.String(), last))
					}
				}
				require.Equal(t, c.want, r.p.Sources("w")[health.SourceLogin].State(last.Add(c.still).UnixMicro()))
			})
		}
		require.Equal(t, fold.SourceNever, fold.Activity{}.State(start.UnixMicro()))
	})
	t.Run("is kept for each source and workspace", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		other := usage("3", "a", start)
		other.Workspace = "other"
		r.send(start, usage("1", "a", start))
		r.send(start.Add(time.Hour), login("2", start))
		r.send(start.Add(2*time.Hour), other)
		r.commit()
		r.reopen()
		of := r.p.Sources("w")
		require.Equal(t, start.UnixMicro(), of[health.SourceUsage].Last)
		require.Equal(t, start.Add(time.Hour).UnixMicro(), of[health.SourceLogin].Last)
		require.Zero(t, of[health.SourceTicket])
		require.Equal(t, start.Add(2*time.Hour).UnixMicro(), r.p.Sources("other")[health.SourceUsage].Last)
		require.Zero(t, r.p.Sources("nobody"))
	})
	t.Run("is not of historical, repeated and refused events", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), historical("l", usage("2", "b", start)))
		later := start.Add(time.Hour)
		r.send(later, usage("1", "a", later), historical("l", usage("3", "b", later)), usage("4", "a", later.Add(-1000*time.Hour)))
		require.Equal(t, start.UnixMicro(), r.p.Sources("w")[health.SourceUsage].Last)
	})
	t.Run("takes few bytes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		for h := range 3 * hoursKept {
			r.send(start.Add(time.Duration(h)*time.Hour), login(fmt.Sprint(h), start.Add(time.Duration(h)*time.Hour)))
		}
		without := fold.State{Stream: r.p.Stream, Rules: 1, LogTime: r.p.LogTime, LastTime: r.p.LastTime, LastHash: r.p.LastHash}
		require.Less(t, len(r.p.Encode()), len(without.Encode())+24)
	})
}
