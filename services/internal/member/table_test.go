package member_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/member"
)

// clock starts at a time of its own.
func clock() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

// beats lets members be heard every Interval, from a time on, and returns when that ended.
func beats(table *member.Table, from time.Time, long time.Duration, names ...string) time.Time {
	for end := from.Add(long); ; from = from.Add(member.Interval) {
		for _, name := range names {
			table.Hear(member.Beat{Name: name}, from)
		}
		if !from.Before(end) {
			return from
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()

	t.Run("a process that has heard nothing knows nothing", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		require.Zero(t, table.Up(clock()))
		require.False(t, table.Warm(clock()))
		require.Empty(t, table.Live(clock()))
	})

	t.Run("it listens for a while before it believes that it knows who is there", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		table.Hear(member.Beat{Name: "me"}, clock())
		require.False(t, table.Warm(clock()))
		now := beats(table, clock(), 2*member.Interval, "me", "you")
		require.True(t, table.Warm(now))
		require.Equal(t, 2*member.Interval, table.Up(now))
		require.Equal(t, []string{"me", "you"}, names(table.Live(now)))
	})

	t.Run("others alone do not make it believe: perhaps nobody hears it", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		now := beats(table, clock(), time.Minute, "you")
		require.False(t, table.Warm(now))
		require.Zero(t, table.Up(now))
	})

	t.Run("who falls silent is gone after a while, not at once", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		now := beats(table, clock(), time.Minute, "me", "you")
		later := beats(table, now.Add(member.Interval), 4*member.Interval, "me")
		require.Equal(t, 5*member.Interval, later.Sub(now))
		require.Equal(t, []string{"me", "you"}, names(table.Live(later)))
		require.Equal(t, []string{"me"}, names(table.Live(later.Add(time.Nanosecond))))
	})

	t.Run("who comes again is there again, as told last", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		table.Hear(member.Beat{Name: "you", Rules: 1}, clock())
		require.Empty(t, table.Live(clock().Add(time.Minute)))
		table.Hear(member.Beat{Name: "you", Rules: 2, Leaving: true}, clock().Add(time.Minute))
		require.Equal(t, []member.Beat{{Name: "you", Rules: 2, Leaving: true}}, table.Live(clock().Add(time.Minute)))
	})

	t.Run("a process that was paused for long first listens", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		now := beats(table, clock(), time.Minute, "me", "you")
		require.True(t, table.Warm(now))

		woken := now.Add(30 * time.Second)
		require.False(t, table.Warm(woken), "before it has heard anything")
		require.Zero(t, table.Up(woken))
		require.Empty(t, table.Live(woken), "nor does it believe in itself")

		table.Hear(member.Beat{Name: "me"}, woken)
		require.False(t, table.Warm(woken), "at its first beat")
		require.Zero(t, table.Up(woken))
		now = beats(table, woken.Add(member.Interval), member.Interval, "me")
		require.True(t, table.Warm(now))
		require.Equal(t, 2*member.Interval, table.Up(now), "up counts from when it woke")
	})

	t.Run("a short gap does not make it start over", func(t *testing.T) {
		t.Parallel()
		table := member.NewTable("me")
		now := beats(table, clock(), time.Minute, "me").Add(5 * member.Interval)
		table.Hear(member.Beat{Name: "me"}, now)
		require.Equal(t, now.Sub(clock()), table.Up(now))
	})
}

func TestGone(t *testing.T) {
	t.Parallel()
	t.Run("a process that is gone does not get old enough to be given streams", func(t *testing.T) {
		t.Parallel()
		table, now := member.NewTable("a"), clock()
		table.Hear(member.Beat{Name: "a", Up: time.Hour}, now)
		table.Hear(member.Beat{Name: "b", Up: time.Second}, now)
		for later := range 5 {
			at := now.Add(time.Duration(later) * member.Interval)
			for _, b := range table.Live(at) {
				if b.Name == "b" {
					require.LessOrEqual(t, b.Up, time.Second+member.Interval)
				}
			}
			require.Equal(t, []string{"a", "a"}, member.Assign(table.Live(at), 2))
		}
	})
}
