package health

import (
	"cmp"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// DriverKind says what is behind a change; numbers are those of hale.health.v1.Driver.Kind.
type DriverKind uint8

// The kinds.
const (
	DriverFeatureStopped DriverKind = iota + 1
	DriverFeatureStarted
	DriverUserStopped
	DriverUserStarted
	DriverTicketOpened
	DriverTicketClosed
	DriverTicketReopened
	DriverSurveyAnswered
	DriverTouched
	DriverNotTouched
	DriverPulseSet
	DriverMilestoneReached
	DriverMilestoneMissed
	DriverQuantityRose
	DriverQuantityFell
	DriverAgedOut
)

// Driver is an event, or a silence, behind the change of a measure.
type Driver struct {
	Kind DriverKind
	// Subject is the feature, ticket or user it is about; empty where it is about none.
	Subject string
	// Day of it, the latest where it is several events; of a silence the last day before it. Nil: unknown.
	Day *Day
	// Weight orders drivers, the greatest first. Its meaning is that of the kind: days seen, points of a ticket.
	Weight int64
	// Text is a sentence for a person.
	Text string
}

// Span is what happened between the ends of two days, as told by the facts of a later today.
type Span struct {
	Facts *Facts
	// From and To are the two days, Today that of the facts.
	From, To, Today Day
}

// A user or a feature is quiet after quietDays without; users are missed if they were seen on regularFor of the 28 days
// before.
const (
	quietDays  = 7
	regularFor = 4
	userDays   = 28
	// knownDays is how many days back it is known on which of them a user was seen, today included.
	knownDays = 36
)

// Drivers returns what is behind the change of a measure from one value to another, the weightiest first. What
// happened after To hides what was before: of a user or a feature only the last days are known. Nor is it told that
// answers left the window of nps or survey_response_rate: no older ones are kept.
func (s *Span) Drivers(c *MeasureChange) []Driver {
	var all []Driver
	switch c.Measure {
	case scorecard.ActiveUsers, scorecard.Stickiness:
		all = s.users()
	case scorecard.ChampionSeen:
		all = s.champions()
	case scorecard.FeaturesUsed:
		all = s.features()
	case scorecard.UsageTrend, scorecard.LoginTrend, scorecard.LoginDays:
		all = s.quantity(c)
	case scorecard.DaysSinceSeen:
		all = s.seen(c)
	case scorecard.OpenTickets, scorecard.TicketVolume, scorecard.ResolutionHours, scorecard.ReopenRate:
		all = s.tickets(c.Measure)
	case scorecard.NPS, scorecard.CSAT, scorecard.CES, scorecard.SurveyResponseRate:
		all = s.surveys(c.Measure)
	case scorecard.Pulse:
		all = s.pulse()
	case scorecard.DaysSinceTouch:
		all = s.touch(c)
	case scorecard.Milestones:
		all = s.milestones()
	case scorecard.MeasureCount:
	}
	slices.SortStableFunc(all, func(x, y Driver) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Subject, y.Subject))
	})
	return all
}

// holds reports whether a day is in the span.
func (s *Span) holds(d Day) bool { return d > s.From && d <= s.To }

// left reports whether a day was inside a window at the start of the span, and no longer is at its end.
func (s *Span) left(d Day, window Day) bool {
	return d <= s.From && d > s.From-window && d <= s.To-window
}
