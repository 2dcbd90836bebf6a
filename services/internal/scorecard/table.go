package scorecard

import "hale.dev/services/internal/fixed"

// definition is what the Measures table of docs/scorecard.md says of it.
type definition struct {
	name, unit string
	window     int32
	curve      Curve
}

// definitions by measure.
//
//nolint:gochecknoglobals // a constant table
var definitions = [MeasureCount]definition{
	ActiveUsers:        {"active_users", "percent", 28, curve(0, 0, 50, 50, 80, 100)},
	FeaturesUsed:       {"features_used", "features", 30, curve(0, 0, 3, 50, 8, 100)},
	UsageTrend:         {"usage_trend", "percent", 35, curve(-50, 0, -20, 50, 0, 80, 10, 100)},
	Stickiness:         {"stickiness", "percent", 28, curve(0, 0, 10, 40, 25, 100)},
	LoginDays:          {"login_days", "days", 28, curve(0, 0, 8, 60, 20, 100)},
	LoginTrend:         {"login_trend", "percent", 28, curve(-60, 0, -20, 60, 0, 100)},
	DaysSinceSeen:      {"days_since_seen", "days", 0, curve(1, 100, 5, 60, 14, 0)},
	OpenTickets:        {"open_tickets", "points", 0, curve(0, 100, 10, 50, 30, 0)},
	TicketVolume:       {"ticket_volume", "tickets", 30, curve(0, 100, 5, 70, 10, 40, 20, 0)},
	ResolutionHours:    {"resolution_hours", "hours", 90, curve(0, 100, 24, 90, 72, 60, 168, 20, 336, 0)},
	ReopenRate:         {"reopen_rate", "percent", 90, curve(0, 100, 10, 60, 30, 0)},
	NPS:                {"nps", "percent", 180, curve(-100, 0, 0, 50, 100, 100)},
	CSAT:               {"csat", "percent", 90, curve(50, 0, 75, 50, 95, 100)},
	CES:                {"ces", "rating", 90, curve(1, 0, 4, 50, 7, 100)},
	SurveyResponseRate: {"survey_response_rate", "percent", 180, curve(0, 0, 10, 40, 40, 100)},
	Pulse:              {"pulse", "rating", 90, curve(1, 0, 3, 50, 5, 100)},
	DaysSinceTouch:     {"days_since_touch", "days", 0, curve(0, 100, 30, 80, 90, 0)},
	ChampionSeen:       {"champion_seen", "days", 0, curve(0, 100, 7, 80, 30, 0)},
	Milestones:         {"milestones", "percent", 0, curve(0, 0, 50, 40, 100, 100)},
}

// curve builds a curve from pairs of whole numbers.
func curve(pairs ...int64) Curve {
	c := make(Curve, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		c = append(c, Point{X: pairs[i] * fixed.One, Y: pairs[i+1] * fixed.One})
	}
	return c
}

// MeasureByName returns the measure of a name, for example "active_users".
func MeasureByName(name string) (Measure, bool) {
	for m := range definitions {
		if definitions[m].name == name {
			return Measure(m), true
		}
	}
	return 0, false
}

// Name is the measure's name, for example "active_users"; empty for a number that is no measure.
func (m Measure) Name() string { return m.definition().name }

// Unit is the unit of the measure's value: percent, features, days, hours, points, tickets or rating.
func (m Measure) Unit() string { return m.definition().unit }

// WindowDays is the length of the measure's window in days; 0 where it has none.
func (m Measure) WindowDays() int32 { return m.definition().window }

// Curve is the measure's curve where a scorecard gives none. It must not be changed.
func (m Measure) Curve() Curve { return m.definition().curve }

func (m Measure) definition() *definition {
	if m >= MeasureCount {
		return &definition{}
	}
	return &definitions[m]
}
