package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/scorecard"
)

// Source is a kind of events that come from one place, by whose silence a broken pipe shows.
type Source uint8

// The sources. Profile, users and interactions are SourceAccount.
const (
	SourceUsage Source = iota
	SourceLogin
	SourceTicket
	SourceSurvey
	SourceAccount

	// SourceCount is the number of sources.
	SourceCount
)

// SourceNamed is the reverse of String; false: there is no such source.
func SourceNamed(name string) (Source, bool) {
	for s := range SourceCount {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// String returns the source's name, for example "usage".
func (s Source) String() string {
	return [SourceCount]string{"usage", "login", "ticket", "survey", "account"}[s]
}

// Facts are what an account's measures are computed from, as of its today.
type Facts struct {
	// First is the first day of the account's life, LastSeen that of the latest usage or login, LastTouch that of the
	// latest interaction; nil: there is none.
	First, LastSeen, LastTouch *Day
	// Users are those known, by id.
	Users []UserFact
	// Features are those ever used, by name.
	Features []FeatureFact
	// Tickets are those not forgotten yet, by id.
	Tickets []TicketFact
	// Surveys are the sums of each day of the last 180, oldest first; nps answers of users that are known by name count
	// on the day of their latest answer. Of a sample of users they are estimates.
	Surveys []SurveyFact
	// Milestones are those of the workspace, in order.
	Milestones []MilestoneFact
	// Pulse is the latest rating; nil: none.
	Pulse *PulseFact
	// LastEvent is the time of the latest event of each source; 0: none.
	LastEvent [SourceCount]Time
	// Sampled says that users or features are a sample; each then stands for 2^UsersLevel and 2^FeaturesLevel.
	Sampled                   bool
	UsersLevel, FeaturesLevel uint8
}

// UserFact is a user, under the least of the ids that are its own.
type UserFact struct {
	ID, Role string
	// Last is the last day the user was seen; nil: never.
	Last *Day
	// Seen has bit i set if the user was seen on today-i; it reaches back 36 days.
	Seen uint64
}

// FeatureFact is a feature that was used, with the first and the last day of it.
type FeatureFact struct {
	Name        string
	First, Last Day
}

// TicketFact is a ticket. Times are nil where there was no such event.
type TicketFact struct {
	ID string
	// First is the time of its first event.
	First                    Time
	Opened, Reopened, Closed *Time
	// Severity is low, normal, high or urgent.
	Severity  string
	Escalated bool
	Open      bool
	// Points is what the ticket adds to open_tickets while it is open.
	Points int64
	// Rating is 1 to 5; 0: none. RatedAt is its time.
	Rating  uint8
	RatedAt Time
}

// SurveyFact sums up the surveys of a day.
type SurveyFact struct {
	Day                        Day
	Sent, Answered             int64
	NPS, Promoters, Detractors int64
	CSAT, CSATGood, CES        int64
	// CESSum is the sum of the ces answers.
	CESSum int64
}

// MilestoneFact is a milestone.
type MilestoneFact struct {
	Feature string
	Due     Day
	// Reached is the day of the feature's first use; nil: not used yet.
	Reached *Day
}

// PulseFact is a success manager's rating.
type PulseFact struct {
	Pulse        uint8
	At           Time
	Author, Note string
	// Current says whether it still counts.
	Current bool
}

// Values returns today's measures as the scorecard that applies sees them: with the absence rule.
func (a *Account) Values(set *scorecard.Set) scorecard.Values {
	if a.Empty() || a.churned() {
		return scorecard.Values{}
	}
	b := *a
	b.refresh()
	return b.assess(set).values
}

// SourceOfEvent returns the source an event comes from.
func SourceOfEvent(ev *eventv1.Event) Source {
	switch ev.GetBody().(type) {
	case *eventv1.Event_Usage:
		return SourceUsage
	case *eventv1.Event_Login:
		return SourceLogin
	case *eventv1.Event_Ticket:
		return SourceTicket
	case *eventv1.Event_Survey:
		return SourceSurvey
	}
	return SourceAccount
}

// SourceOf returns the source a measure lives from.
func SourceOf(m scorecard.Measure) Source {
	switch m {
	case scorecard.ActiveUsers, scorecard.FeaturesUsed, scorecard.UsageTrend, scorecard.Stickiness,
		scorecard.DaysSinceSeen, scorecard.Milestones, scorecard.ChampionSeen:
		return SourceUsage
	case scorecard.LoginDays, scorecard.LoginTrend:
		return SourceLogin
	case scorecard.OpenTickets, scorecard.TicketVolume, scorecard.ResolutionHours, scorecard.ReopenRate:
		return SourceTicket
	case scorecard.NPS, scorecard.CSAT, scorecard.CES, scorecard.SurveyResponseRate:
		return SourceSurvey
	case scorecard.Pulse, scorecard.DaysSinceTouch, scorecard.MeasureCount:
	}
	return SourceAccount
}
