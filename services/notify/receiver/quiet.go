package receiver

import (
	"slices"
	"time"
	_ "time/tzdata" // machines without a time zone database know all zones too
)

// maxNights bounds how many quiet hours may follow each other without a gap.
const maxNights = 8

// Quiet is a time of day in which nobody is disturbed.
type Quiet struct {
	// Location whose clocks count.
	Location *time.Location
	// Days on which it begins; none: every day.
	Days []time.Weekday
	// Start and End as minutes of the day. An end that is not after the start is on the next day.
	Start, End int
	// ExceptCritical lets critical alerts through.
	ExceptCritical bool
}

// Until returns when the quiet hours that t lies in end; t itself if it lies in none. Clocks that are set forward or back
// are followed: start and end are what the clocks on the wall show.
func (q *Quiet) Until(t time.Time) time.Time {
	if q == nil {
		return t
	}

	at := t

	for range maxNights {
		end, in := q.end(at)
		if !in {
			break
		}

		at = end
	}

	return at
}

// end returns when the quiet hours of one day that t lies in end.
func (q *Quiet) end(t time.Time) (time.Time, bool) {
	year, month, day := t.In(q.Location).Date()

	for _, back := range []int{1, 0} { // they may have begun yesterday
		start := q.wall(year, month, day-back, q.Start)
		if len(q.Days) > 0 && !slices.Contains(q.Days, q.weekday(year, month, day-back)) {
			continue
		}

		last := day - back
		if q.End <= q.Start {
			last++
		}

		end := q.wall(year, month, last, q.End)
		if !t.Before(start) && t.Before(end) {
			return end, true
		}
	}

	return t, false
}

// wall is when the clocks show a minute of a day. One that they pass over is the moment at which they are set forward,
// one that they show twice is the first.
func (q *Quiet) wall(year int, month time.Month, day, minute int) time.Time {
	t := time.Date(year, month, day, 0, minute, 0, 0, q.Location)

	if hour, m, _ := t.Clock(); hour*60+m != minute {
		_, before := t.Add(-12 * time.Hour).Zone()
		// With the offset of before the change it is a time after the change, by as much as it is past the gap's start.
		t = time.Date(year, month, day, 0, minute, 0, 0, time.FixedZone("", before)).In(q.Location)
		start, _ := t.ZoneBounds()

		return start
	}

	if change, _ := t.ZoneBounds(); !change.IsZero() {
		_, before := change.Add(-time.Second).Zone()
		_, after := t.Zone()

		if earlier := t.Add(time.Duration(after-before) * time.Second); after < before && sameClock(earlier, t) {
			return earlier
		}
	}

	return t
}

func sameClock(a, b time.Time) bool {
	ha, ma, _ := a.Clock()
	hb, mb, _ := b.Clock()

	return ha == hb && ma == mb
}

func (q *Quiet) weekday(year int, month time.Month, day int) time.Weekday {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Weekday()
}
