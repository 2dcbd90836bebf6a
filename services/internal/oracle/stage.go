package oracle

import (
	"maps"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// churned is the stage of an account whose customer left.
const churned = "churned"

// churned tells whether the churn date is set and reached.
func (l ledger) churned() bool {
	left, ok := l.profile.date("churn_date")
	return ok && left <= l.today
}

// stage is the first stage that matches.
func (l ledger) stage(milestones []scorecard.Milestone) string {
	p := l.profile
	switch {
	case l.churned():
		return churned
	case p.text["stage"] != "":
		return p.text["stage"]
	case l.age() < 60 && !l.complete(milestones):
		return "onboarding"
	case l.renews():
		return "renewal"
	case l.age() < 180:
		return "adopting"
	default:
		return "steady"
	}
}

// complete tells whether milestones are defined and all done.
func (l ledger) complete(milestones []scorecard.Milestone) bool {
	for _, m := range milestones {
		if !l.used(m.Feature) {
			return false
		}
	}
	return len(milestones) > 0
}

func (l ledger) renews() bool {
	p := l.profile
	term := int64(365)
	if micros, ok := p.number["term_days"]; ok {
		term = micros / 1_000_000
	}
	renewal, ok := p.date("renewal_date")
	return ok && renewal >= l.today && renewal <= l.today+90 && term > 90
}

// bands from the worst, and the edges between them in micros.
var (
	bands = []string{"critical", "at_risk", "steady", "healthy"} //nolint:gochecknoglobals // a constant table
	edges = []int64{40_000_000, 60_000_000, 80_000_000}          //nolint:gochecknoglobals // a constant table
)

// unknown is the band of an account with too little data.
const unknown = "unknown"

// plainBand is the band of the table.
func plainBand(score int64) string {
	for i, edge := range edges {
		if score < edge {
			return bands[i]
		}
	}
	return bands[len(bands)-1]
}

// nextBand goes from the last band over each edge that the score is at least 3 beyond.
func nextBand(last string, score int64) string {
	const beyond = 3_000_000
	at := slices.Index(bands, last)
	for at < len(edges) && score >= edges[at]+beyond {
		at++
	}
	for at > 0 && score <= edges[at-1]-beyond {
		at--
	}
	return bands[at]
}

// band finds an evaluation's band from the evaluation before, if there was one, and its band.
func band(e Evaluation, before *Evaluation, last string) string {
	switch {
	case e.Coverage < 30_000_000:
		return unknown
	case before == nil, last == unknown, before.Card != e.Card, before.SetVersion != e.SetVersion:
		return plainBand(e.Score)
	default:
		return nextBand(last, e.Score)
	}
}

// subject shows an account to conditions.
type subject struct {
	ledger   ledger
	stage    string
	measures scorecard.Values
}

var _ scorecard.Subject = subject{}

func (s subject) Stage() string                    { return s.stage }
func (s subject) AgeDays() int64                   { return s.ledger.age() }
func (s subject) ProfileText(field string) string  { return s.ledger.profile.text[field] }
func (s subject) ProfileNumber(field string) int64 { return s.ledger.profile.number[field] }

func (s subject) Measure(m scorecard.Measure) scorecard.Value { return s.measures[m] }

func (s subject) Traits(f func(name string, t scorecard.Trait)) {
	for _, name := range slices.Sorted(maps.Keys(s.ledger.profile.traits)) {
		f(name, s.ledger.profile.traits[name])
	}
}
