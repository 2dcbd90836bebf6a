package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

func day(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }

// happened is a transition of an alert that fired on a day, and ended on another; 0: it has not.
func happened(id, rule string, kind alertv1.Transition_Kind, fired, resolved int) *alertv1.Transition {
	a := &alertv1.Alert{AlertId: id, Rule: rule, AccountId: "acme", FireTime: timestamppb.New(day(fired))}
	if resolved > 0 {
		a.ResolveTime = timestamppb.New(day(resolved))
	}

	return &alertv1.Transition{Kind: kind, Alert: a}
}

func TestTheOutcomeOfATestSumsUpByRule(t *testing.T) {
	t.Parallel()

	const fired, held, resolved = alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_HELD, alertv1.Transition_KIND_RESOLVED

	o := newTrialOutcome([]string{"noisy", "still"})
	o.begins = day(1).Format(time.RFC3339Nano)

	for i, until := range []int{5, 6, 9} {
		id := string(rune('a' + i))
		o.take(happened(id, "noisy", fired, 3+i, 0))

		flapping := happened(id, "noisy", held, 3+i, 0)
		flapping.Alert.Flapping = i == 1
		o.take(flapping)
		o.take(happened(id, "noisy", resolved, 3+i, until))
	}

	quiet := happened("q", "noisy", fired, 10, 0)
	quiet.Alert.HeldBy = []string{"churned"}
	o.take(quiet)

	held2 := happened("h", "still", fired, 11, 0)
	held2.Alert.HeldBy = []string{"noisy"}
	o.take(held2)
	o.take(happened("h", "still", alertv1.Transition_KIND_RELEASED, 11, 0))
	o.take(happened("z", "gone", resolved, 1, 2)) // it fired before

	v := o.view(day(15))
	require.Len(t, v.Alerts, 6)
	require.Equal(t, "gone", v.Alerts[0].Rule, "the first comes first")
	require.Equal(t, int64(5*24*3600), v.Alerts[4].Seconds, "open until now")
	require.False(t, v.Alerts[4].Delivered)

	require.Len(t, v.Rules, 3)
	noisy, still, gone := v.Rules[0], v.Rules[1], v.Rules[2]
	require.Equal(t, 4, noisy.Fired)
	require.InDelta(t, 2, noisy.PerWeek, 1e-9)
	require.Equal(t, 1, noisy.Undelivered)
	require.Equal(t, 1, noisy.Open)
	require.Equal(t, 1, noisy.Flapping)
	require.Equal(t, int64(2*24*3600), *noisy.Median)
	require.Equal(t, 1, still.Fired)
	require.Zero(t, still.Undelivered, "it was let go later")
	require.Nil(t, still.Median)
	require.Zero(t, gone.Fired, "it fired before the time that was looked at")
	require.Equal(t, "gone", gone.Rule)
}

func TestARateIsOfADayAtLeast(t *testing.T) {
	t.Parallel()

	o := newTrialOutcome(nil)
	require.InDelta(t, 1.0/7, o.weeks(nil, day(2)), 1e-9, "nothing was looked at")

	o.begins = day(2).Add(-time.Minute).Format(time.RFC3339Nano)
	require.InDelta(t, 1.0/7, o.weeks(nil, day(2)), 1e-9)

	loaded := []wouldHaveBeen{{Fired: day(1).Format(time.RFC3339Nano), fired: true}}
	require.InDelta(t, 2, o.weeks(loaded, day(15)), 1e-9, "history that was loaded reaches further back")
}

func TestSpansAreWrittenInTwoUnits(t *testing.T) {
	t.Parallel()

	for seconds, want := range map[int64]string{
		0: "0s", 59: "59s", 61: "1m1s", 3600: "1h0m", 86400 + 7200 + 59: "1d2h", 40 * 86400: "40d0h",
	} {
		require.Equal(t, want, spanText(seconds))
	}
}

func TestSinceIsADurationOrDays(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "0": 0, "12h": 12 * time.Hour, "0d": 0} {
		got, err := parseSince(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
