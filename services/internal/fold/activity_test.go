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

func login(id string, at time.Time) *logv1.Record {
	return event(&eventv1.Event{MessageId: id, AccountId: "a", OccurredAt: timestamppb.New(at), Body: &eventv1.Event_Login{Login: &eventv1.Login{}}})
}

func TestActivity(t *testing.T) {
	t.Parallel()
	t.Run("partitions know together when events came, and the longest time without", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			rigs := []*rig{newRig(t), newRig(t)}
			now := start
			var times []int64
			for i := range rapid.IntRange(0, 30).Draw(rt, "events") {
				now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 60, 61, 600, 3000, 21000}).Draw(rt, "minutes")) * time.Minute)
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
			require.Equal(rt, max(6, 4*gap)*microsOfHour, all.SilentAfter(later))
			if len(times) > 0 {
				require.Equal(rt, times[len(times)-1], all.Last)
			}
		})
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
