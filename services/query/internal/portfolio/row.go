package portfolio

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// measure is the value of a measure of today.
func measure(r *column.Row, m scorecard.Measure) column.Number { return r.Measures[m] }

// churned says whether the customer has left.
func churned(r *column.Row) bool { return r.Stage == healthv1.Stage_STAGE_CHURNED }

// arrOf is the arr in micros; 0: none, or unknown.
func arrOf(r *column.Row) int64 {
	if !r.ARRKnown {
		return 0
	}

	return r.ARR
}

// begin is the month in which the account began: that of its created date, else of its first day.
func begin(r *column.Row) health.Month {
	switch {
	case r.Created != column.NoDay:
		return health.MonthOf(r.Created)
	case r.First != column.NoDay:
		return health.MonthOf(r.First)
	}

	if len(r.Months) > 0 {
		return r.Months[0].Month
	}

	return health.MonthOf(r.Day)
}

// calendar knows the month of the day asked for last: most accounts are at the same day.
type calendar struct {
	day   health.Day
	month health.Month
}

func (c *calendar) monthOf(d health.Day) health.Month {
	if d != c.day {
		c.day, c.month = d, health.MonthOf(d)
	}

	return c.month
}
