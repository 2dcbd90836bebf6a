package column

import (
	"math"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/filter"
)

// Number is a value in micros, or None.
type Number = filter.Number

// None stands for a value that is not there.
const None = filter.None

// NumberOf turns a value of the core into a number.
func NumberOf(v scorecard.Value) Number {
	if !v.Known {
		return None
	}
	return Number(v.Micros)
}

// Row is an account in a list. It must not be changed once it is in a table.
type Row struct {
	// Account is the account's id in its workspace.
	Account string
	// Partition the account lives in.
	Partition int
	// At is the place of the change that made the row, or a later one: where the row was read at a place beyond those of
	// which the changes are known, that one.
	At Place
	// Day is the account's today: the windows of its measures end on it.
	Day health.Day
	// Score in micros of a point: the one set by hand while there is one, else the computed one; ScoreKnown is false
	// where no measure has data.
	Score      int64
	ScoreKnown bool
	// Computed is the computed score, ComputedBand its band; Overridden says that Score is set by hand.
	Computed     Number
	ComputedBand healthv1.Band
	Overridden   bool
	// ARR in micros of Currency; ARRKnown is false where the profile has none.
	ARR      int64
	ARRKnown bool
	// Coverage in micros of a percent.
	Coverage int64
	Band     healthv1.Band
	Stage    healthv1.Stage
	// Fields of the profile; empty: unset.
	Name, Currency, Owner, Segment, Plan, Industry, Parent string
	// Card is the name of the scorecard that applied.
	Card string
	// Seats bought; 0: unknown.
	Seats int64
	// Renewal, Created and Churn are days of the profile; NoDay: unset. First is the first day of the account's life.
	Renewal, Created, Churn, First health.Day
	// LastSeen is the last day of usage or a login; NoDay: never.
	LastSeen health.Day
	// Changes of the computed score since the end of the day 1, 7 and 30 days ago, in micros.
	Change1, Change7, Change30 Number
	// Dimensions in the order of health.DimensionName, Measures in that of scorecard.Measure.
	Dimensions [health.DimensionCount]Number
	Measures   [scorecard.MeasureCount]Number
	// Traits are the sender's own, by name.
	Traits []health.Trait
	// Months is how the last months ended, Surveys the sums of those of the last 180 days; both oldest first.
	Months  []MonthEnd
	Surveys []SurveyMonth

	// bands are those at the ends of the last days, the latest first.
	bands [health.RecentDays]health.Band
}

// NoDay stands for a day that is not there.
const NoDay = health.Day(math.MinInt32)
