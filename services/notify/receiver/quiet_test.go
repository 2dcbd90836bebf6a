package receiver_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/notify/receiver"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()

	l, err := time.LoadLocation(name)
	require.NoError(t, err)

	return l
}

func TestQuiet(t *testing.T) {
	t.Parallel()

	berlin := zone(t, "Europe/Berlin")
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, berlin) }
	night := &receiver.Quiet{Location: berlin, Start: 22 * 60, End: 7 * 60}

	for name, c := range map[string]struct {
		quiet    *receiver.Quiet
		at, want time.Time
	}{
		"none":                             {nil, at(2, 23, 0), at(2, 23, 0)},
		"by day":                           {night, at(2, 12, 0), at(2, 12, 0)},
		"in the evening":                   {night, at(2, 22, 0), at(3, 7, 0)},
		"in the morning":                   {night, at(3, 6, 59), at(3, 7, 0)},
		"at the end":                       {night, at(3, 7, 0), at(3, 7, 0)},
		"the night that loses an hour":     {night, at(28, 23, 0), at(29, 7, 0)},
		"by day alone":                     {&receiver.Quiet{Location: berlin, Start: 9 * 60, End: 17 * 60}, at(2, 9, 30), at(2, 17, 0)},
		"only on fridays, on a friday":     {&receiver.Quiet{Location: berlin, Start: 22 * 60, End: 60, Days: []time.Weekday{time.Friday}}, at(7, 0, 30), at(7, 1, 0)},
		"only on fridays, on a saturday":   {&receiver.Quiet{Location: berlin, Start: 22 * 60, End: 60, Days: []time.Weekday{time.Friday}}, at(7, 23, 0), at(7, 23, 0)},
		"an end that the clocks pass over": {&receiver.Quiet{Location: berlin, Start: 0, End: 2*60 + 30}, at(29, 1, 0), at(29, 3, 0)},
	} {
		require.True(t, c.want.Equal(c.quiet.Until(c.at)), "%s: %s", name, c.quiet.Until(c.at))
	}

	t.Run("an end that the clocks show twice is the first", func(t *testing.T) {
		t.Parallel()

		q := &receiver.Quiet{Location: berlin, Start: 0, End: 2*60 + 30}
		end := q.Until(time.Date(2026, 10, 25, 1, 0, 0, 0, berlin))
		require.Equal(t, "2026-10-25T00:30:00Z", end.UTC().Format(time.RFC3339))
	})

	t.Run("ends outside, is never before, and is what the clocks on the wall show, in every zone", func(t *testing.T) {
		t.Parallel()

		zones := []*time.Location{
			berlin, zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "Asia/Kolkata"), zone(t, "America/St_Johns"),
			zone(t, "Pacific/Auckland"), time.UTC,
		}
		random := rand.New(rand.NewPCG(1, 1))

		for range 20_000 {
			q := &receiver.Quiet{Location: zones[random.IntN(len(zones))], Start: random.IntN(96) * 15, End: random.IntN(96) * 15}
			if q.Start == q.End {
				continue
			}

			for d := range 7 {
				if random.IntN(2) == 0 {
					q.Days = append(q.Days, time.Weekday(d))
				}
			}

			at := time.Date(2026, time.Month(1+random.IntN(12)), 1+random.IntN(31), random.IntN(24), random.IntN(60), 0, 0, q.Location)
			end := q.Until(at)

			require.False(t, end.Before(at))
			require.True(t, end.Equal(q.Until(end)), "it is over then: %+v %s %s", q, at, end)
			require.LessOrEqual(t, end.Sub(at), 25*time.Hour)

			if !end.Equal(at) {
				h, m, _ := end.Clock()
				if h*60+m != q.End { // the clocks pass over it: then it is the moment of the change
					_, before := end.Add(-time.Minute).Zone()
					_, after := end.Zone()
					require.Greater(t, after, before, "%+v %s %s", q, at, end)
				}
			}
		}
	})
}
