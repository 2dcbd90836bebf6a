package health

import (
	"math"
	"time"
)

// Time is a moment: microseconds since 1970-01-01, UTC.
type Time = int64

// Day is a UTC day: days since 1970-01-01.
type Day int32

const (
	microsPerDay = 86_400_000_000
	noDay        = Day(math.MinInt32)
	noTime       = Time(math.MinInt64)
	dayLayout    = "2006-01-02"
)

// DayOf returns the day that holds t.
func DayOf(t Time) Day {
	d := t / microsPerDay
	if t%microsPerDay < 0 {
		d--
	}
	return Day(d) //nolint:gosec // the range of a Time is 107 million days
}

// ParseDay reads a day written as YYYY-MM-DD; false where the text is no day of the calendar.
func ParseDay(s string) (Day, bool) {
	if len(s) != len(dayLayout) {
		return 0, false
	}
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, false
	}
	return DayOf(t.UnixMicro()), true
}

// String writes the day as YYYY-MM-DD.
func (d Day) String() string { return d.date().Format(dayLayout) }

// date is the day on the calendar.
func (d Day) date() time.Time { return time.UnixMicro(d.Start()).UTC() }

// dayOf returns a day of the calendar.
func dayOf(year, month int) Day {
	return DayOf(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC).UnixMicro())
}

// Start returns the first moment of the day.
func (d Day) Start() Time { return Time(d) * microsPerDay }
