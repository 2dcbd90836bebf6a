package scorecard

// Measure is one of the numbers that are computed from an account's events.
type Measure uint8

// The measures, in the order of docs/scorecard.md.
const (
	ActiveUsers Measure = iota
	FeaturesUsed
	UsageTrend
	Stickiness
	LoginDays
	LoginTrend
	DaysSinceSeen
	OpenTickets
	TicketVolume
	ResolutionHours
	ReopenRate
	NPS
	CSAT
	CES
	SurveyResponseRate
	Pulse
	DaysSinceTouch
	ChampionSeen
	Milestones

	// MeasureCount is the number of measures.
	MeasureCount
)

// Value is a measure's value in micros; Known is false where the measure has no data.
type Value struct {
	Micros int64
	Known  bool
}

// Values holds every measure's value, indexed by Measure.
type Values [MeasureCount]Value
