package rule

import (
	"strings"
	"sync"

	"hale.dev/services/internal/condition"
	"hale.dev/services/internal/scorecard"
)

// Subject is what conditions look at; an account as it is at the time of a review. A measure is asked for by every
// condition that needs it: a subject that has to compute them remembers them.
//
//nolint:interfacebloat // it is what conditions can name
type Subject interface {
	scorecard.Subject

	// KnownDays is for how many days Hale has had events of the account; 0 on the first.
	KnownDays() int64
	// Score is the account's score in micros; unknown: no measure has data.
	Score() scorecard.Value
	// Band is the account's band, for example "at_risk".
	Band() string
	// Coverage is how much of the scorecard's weight has data, in micros of percent.
	Coverage() int64
	// Dimension is the score of a dimension by its place in scorecard.DimensionNames.
	Dimension(i int) scorecard.Value
	// ScoreChange is by how much the score differs from the one at the end of the day that many days ago: 1, 7, 14 or
	// 30.
	ScoreChange(days int32) scorecard.Value
	// MeasureChange is by how much a measure differs from what it was at the end of a day 7 to 13 days ago.
	MeasureChange(m scorecard.Measure) scorecard.Value
	// RenewalDays is in how many days the contract renews, negative after that day; false: the day is unknown.
	RenewalDays() (int64, bool)
	// UrgentTicketHours is for how many whole hours the oldest open urgent ticket is open; 0: there is none.
	UrgentTicketHours() int64
	// TicketsOpened is how many tickets were opened in the last days.
	TicketsOpened(days int32) int64
	// Detractors and Promoters are how many NPS answers of 0 to 6, and of 9 and 10, came in the last days.
	Detractors(days int32) int64
	Promoters(days int32) int64
}

const (
	measuresPrefix = "measures."
	changesPrefix  = "measure_changes."
)

// measureIn is the measure that a name in a condition is about.
func measureIn(path string) (scorecard.Measure, bool) {
	for _, prefix := range []string{measuresPrefix, changesPrefix} {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			return scorecard.MeasureByName(name)
		}
	}
	return 0, false
}

// Bands returns the bands an account can be in, the worst first, unknown last.
func Bands() []string { return []string{"critical", "at_risk", "steady", "healthy", "unknown"} }

// Sources returns the sources of events.
func Sources() []string { return []string{"usage", "login", "ticket", "survey", "account"} }

// Names returns what conditions may ask of an account.
func Names() []condition.Name[Subject] {
	names := []condition.Name[Subject]{
		{Path: "score", Number: func(s Subject) (int64, bool) { return known(s.Score()) }},
		{Path: "band", Values: Bands(), Text: Subject.Band},
		{Path: "known_days", Int: func(s Subject) (int64, bool) { return s.KnownDays(), true }},
		{Path: "coverage", Number: func(s Subject) (int64, bool) { return s.Coverage(), true }},
	}
	names = append(names, condition.Of(scorecard.Names(), func(s Subject) scorecard.Subject { return s })...)
	for i, name := range scorecard.DimensionNames() {
		names = append(names, condition.Name[Subject]{Path: "dimensions." + name, Number: func(s Subject) (int64, bool) {
			return known(s.Dimension(i))
		}})
	}
	for m := range scorecard.MeasureCount {
		names = append(names, condition.Name[Subject]{Path: changesPrefix + m.Name(), Number: func(s Subject) (int64, bool) {
			return known(s.MeasureChange(m))
		}})
	}
	return append(names, changes()...)
}

// changes are the names that look at what happened in some last days.
func changes() []condition.Name[Subject] {
	return []condition.Name[Subject]{
		{Path: "score_change_1d", Number: func(s Subject) (int64, bool) { return known(s.ScoreChange(1)) }},
		{Path: "score_change_7d", Number: func(s Subject) (int64, bool) { return known(s.ScoreChange(7)) }},
		{Path: "score_change_14d", Number: func(s Subject) (int64, bool) { return known(s.ScoreChange(14)) }},
		{Path: "score_change_30d", Number: func(s Subject) (int64, bool) { return known(s.ScoreChange(30)) }},
		{Path: "renewal_days", Int: Subject.RenewalDays},
		{Path: "urgent_ticket_hours", Int: func(s Subject) (int64, bool) { return s.UrgentTicketHours(), true }},
		{Path: "tickets_7d", Int: func(s Subject) (int64, bool) { return s.TicketsOpened(7), true }},
		{Path: "nps_detractors_7d", Int: func(s Subject) (int64, bool) { return s.Detractors(7), true }},
		{Path: "nps_promoters_30d", Int: func(s Subject) (int64, bool) { return s.Promoters(30), true }},
	}
}

func known(v scorecard.Value) (int64, bool) { return v.Micros, v.Known }

// source is what the conditions of rules on sources look at.
type source struct {
	name   string
	silent bool
}

// sourceNames are what conditions may ask of a source.
func sourceNames() []condition.Name[source] {
	return []condition.Name[source]{
		{Path: "source", Values: Sources(), Text: func(s source) string { return s.name }},
		{Path: "silent", Flag: func(s source) bool { return s.silent }},
	}
}

// limits of a condition.
func limits() condition.Limits { return condition.Limits{Cost: maxRuleCost} }

// accountConditions and sourceConditions compile the conditions of the two kinds of rules.
//
//nolint:gochecknoglobals // constants, made when first needed
var (
	accountConditions = sync.OnceValues(func() (*condition.Environment[Subject], error) {
		return condition.New(Names(), limits())
	})
	sourceConditions = sync.OnceValues(func() (*condition.Environment[source], error) {
		return condition.New(sourceNames(), limits())
	})
)
