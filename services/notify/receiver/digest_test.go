package receiver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/notify/receiver"
)

func TestDigestPeriods(t *testing.T) {
	t.Parallel()

	berlin := zone(t, "Europe/Berlin")
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, berlin)
	}
	daily := &receiver.Digest{Location: berlin, At: 8 * 60}
	gap := &receiver.Digest{Location: berlin, At: 2*60 + 30}
	weekly := &receiver.Digest{Location: berlin, At: 8 * 60, Days: []time.Weekday{time.Monday}}
	twice := &receiver.Digest{Location: berlin, At: 8 * 60, Days: []time.Weekday{time.Monday, time.Thursday}}

	for name, c := range map[string]struct {
		digest             *receiver.Digest
		at, from, to, next time.Time
	}{
		"a day":                      {daily, at(3, 3, 12, 0), at(3, 2, 8, 0), at(3, 3, 8, 0), at(3, 4, 8, 0)},
		"at the very time":           {daily, at(3, 3, 8, 0), at(3, 2, 8, 0), at(3, 3, 8, 0), at(3, 4, 8, 0)},
		"just before it":             {daily, at(3, 3, 7, 59), at(3, 1, 8, 0), at(3, 2, 8, 0), at(3, 3, 8, 0)},
		"the day that loses an hour": {daily, at(3, 29, 9, 0), at(3, 28, 8, 0), at(3, 29, 8, 0), at(3, 30, 8, 0)},
		"a time that is passed over": {gap, at(3, 29, 12, 0), at(3, 28, 2, 30), at(3, 29, 3, 0), at(3, 30, 2, 30)},
		"a time that comes twice": {
			gap, at(10, 25, 12, 0), at(10, 24, 2, 30), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), at(10, 26, 2, 30),
		},
		"a week":              {weekly, at(3, 5, 12, 0), at(2, 23, 8, 0), at(3, 2, 8, 0), at(3, 9, 8, 0)},
		"on a monday morning": {weekly, at(3, 9, 7, 0), at(2, 23, 8, 0), at(3, 2, 8, 0), at(3, 9, 8, 0)},
		"twice a week":        {twice, at(3, 6, 0, 0), at(3, 2, 8, 0), at(3, 5, 8, 0), at(3, 9, 8, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			from, to := c.digest.Last(c.at)
			require.True(t, c.from.Equal(from), "%s", from)
			require.True(t, c.to.Equal(to), "%s", to)
			require.True(t, c.next.Equal(c.digest.Next(c.at)), "%s", c.digest.Next(c.at))
		})
	}

	t.Run("every day of a year is in one period", func(t *testing.T) {
		t.Parallel()

		for _, minute := range []int{0, 30, 2 * 60, 2*60 + 30, 3 * 60, 23*60 + 59} {
			d, periods := &receiver.Digest{Location: berlin, At: minute}, 0
			_, end := d.Last(at(1, 1, 0, 0))

			for now := at(1, 1, 0, 0); now.Before(at(12, 31, 0, 0)); now = d.Next(now) {
				from, to := d.Last(now)
				require.False(t, to.After(now))

				if to.After(end) {
					require.True(t, from.Equal(end), "no gap: %s, %s", from, end)

					end, periods = to, periods+1
				}
			}

			require.InDelta(t, 363, periods, 1)
		}
	})
}

const withDigests = `
kind: receivers
receivers:
  - {name: mail, kind: email, settings: {server: "mail.example.com:25", from: hale@example.com, to: ["@owner"]}}
  - {name: page, kind: pagerduty, settings: {routing_key: "file:key"}}
digests:
`

func TestParseDigests(t *testing.T) {
	t.Parallel()

	t.Run("it says who is told when", func(t *testing.T) {
		t.Parallel()

		set, err := receiver.Parse([]byte(withDigests + `
  - {name: morning, receiver: mail, every: day, at: "08:30", time_zone: Europe/Berlin, owners: ['owner=~"m.*"']}
  - {name: weekly, receiver: mail, every: [mon, thu], at: "07:00", time_zone: UTC}
`))
		require.NoError(t, err)
		require.Len(t, set.Digests, 2)

		morning := set.Digest("morning")
		require.Equal(t, "mail", morning.Receiver)
		require.Equal(t, 8*60+30, morning.At)
		require.Empty(t, morning.Days)
		require.True(t, morning.Wants("maya"))
		require.False(t, morning.Wants("bob"))
		require.False(t, morning.Wants(""), "accounts of nobody are told to nobody")
		require.Equal(t, []time.Weekday{time.Monday, time.Thursday}, set.Digest("weekly").Days)
		require.True(t, set.Digest("weekly").Wants("bob"))
		require.Nil(t, set.Digest("yearly"))
	})

	for code, one := range map[string]string{
		receiver.CodeUnknownReceiver: `{name: a, receiver: nobody, every: day, at: "08:00", time_zone: UTC}`,
		receiver.CodeNoDigests:       `{name: a, receiver: page, every: day, at: "08:00", time_zone: UTC}`,
		receiver.CodeDay:             `{name: a, receiver: mail, every: week, at: "08:00", time_zone: UTC}`,
		receiver.CodeTime:            `{name: a, receiver: mail, every: [mon], at: "8 o'clock", time_zone: UTC}`,
		receiver.CodeTimeZone:        `{name: a, receiver: mail, every: day, at: "08:00", time_zone: Berlin}`,
		receiver.CodeName:            `{name: A B, receiver: mail, every: day, at: "08:00", time_zone: UTC}`,
		receiver.CodeUnknownField:    `{name: a, receiver: mail, every: day, at: "08:00", time_zone: UTC, owners: ['rule="x"']}`,
		receiver.CodeMatcher:         `{name: a, receiver: mail, every: day, at: "08:00", time_zone: UTC, owners: ['maya']}`,
		"missing_key":                `{name: a, receiver: mail}`,
	} {
		t.Run(code+" is found", func(t *testing.T) {
			t.Parallel()

			_, err := receiver.Parse([]byte(withDigests + "  - " + one))

			var problems receiver.Problems
			require.ErrorAs(t, err, &problems)
			require.Equal(t, code, problems[0].Code)
			require.Contains(t, problems[0].Field, "digests[0]")
		})
	}

	t.Run("a name is taken once", func(t *testing.T) {
		t.Parallel()

		one := "  - {name: a, receiver: mail, every: day, at: \"08:00\", time_zone: UTC}\n"
		_, err := receiver.Parse([]byte(withDigests + one + one))
		require.ErrorContains(t, err, "two digests")
	})
}
