package health

import (
	"cmp"
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/scorecard"
)

// Facts returns what the measures of today are computed from. It changes nothing.
func (a *Account) Facts(set *scorecard.Set) Facts {
	f := Facts{
		First: a.firstDay(), LastSeen: dayOrNil(a.lastSeen), LastTouch: dayOrNil(a.lastTouch),
		Surveys: a.surveyFacts(), Pulse: a.pulseFact(), LastEvent: a.lastEvent,
		Sampled: a.Approximate(), UsersLevel: a.users.level, FeaturesLevel: a.features.level,
	}
	a.users.each(func(id string, u *user) {
		f.Users = append(f.Users, UserFact{
			ID: id, Role: u.role(), Last: dayOrNil(u.last), Seen: u.days(a.day) & (1<<encodedDays - 1),
		})
	})
	a.features.each(func(name string, e *feature) {
		f.Features = append(f.Features, FeatureFact{Name: name, First: e.first, Last: e.last})
	})
	a.tickets.each(func(id string, t *ticket) { f.Tickets = append(f.Tickets, t.fact(id)) })
	slices.SortFunc(f.Users, func(x, y UserFact) int { return cmp.Compare(x.ID, y.ID) })
	slices.SortFunc(f.Features, func(x, y FeatureFact) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(f.Tickets, func(x, y TicketFact) int { return cmp.Compare(x.ID, y.ID) })
	f.Milestones = a.milestoneFacts(set, f.First)
	return f
}

// EachFeature visits the features that were used, each with the last day of it, in no order.
func (a *Account) EachFeature(f func(name string, last Day)) {
	a.features.each(func(name string, e *feature) { f(name, e.last) })
}

// LastEvent returns the time of the latest event of a source; 0: none.
func (a *Account) LastEvent(s Source) Time { return a.lastEvent[s] }

// firstDay is the first day of the account's life; nil: it has none yet.
func (a *Account) firstDay() *Day {
	if d, ok := a.profile.date(fieldCreatedDate); ok {
		return &d
	}
	return dayOrNil(a.first)
}

func dayOrNil(d Day) *Day {
	if d == noDay {
		return nil
	}
	return &d
}

func timeOrNil(t Time) *Time {
	if t == noTime {
		return nil
	}
	return &t
}

// fact is what is known of a ticket.
func (t *ticket) fact(id string) TicketFact {
	f := TicketFact{
		ID: id, First: t.first, Opened: timeOrNil(t.opened), Reopened: timeOrNil(t.reopened), Closed: timeOrNil(t.closed),
		Severity: severityName(t.severity), Escalated: t.escalated, Open: !t.isClosed(), Points: t.points(),
		Rating: t.rating,
	}
	if t.rating > 0 {
		f.RatedAt = t.ratedAt.time
	}
	return f
}

func severityName(severity uint8) string {
	switch eventv1.Ticket_Severity(severity) {
	case eventv1.Ticket_SEVERITY_LOW:
		return "low"
	case eventv1.Ticket_SEVERITY_HIGH:
		return "high"
	case eventv1.Ticket_SEVERITY_URGENT:
		return "urgent"
	case eventv1.Ticket_SEVERITY_NORMAL, eventv1.Ticket_SEVERITY_UNSPECIFIED:
	}
	return "normal"
}

// surveyFacts sums up the surveys by day.
func (a *Account) surveyFacts() []SurveyFact {
	days := map[Day]*SurveyFact{}
	of := func(d Day) *SurveyFact {
		if days[d] == nil {
			days[d] = &SurveyFact{Day: d}
		}
		return days[d]
	}
	for i := range a.surveys {
		s := &a.surveys[i]
		if !inWindow(s.day, a.day, surveyDays) {
			continue
		}
		f := of(s.day)
		f.Sent, f.Answered, f.CSAT, f.CSATGood, f.CES, f.CESSum = s.sent, s.answered, s.csat, s.csatGood, s.ces, s.cesSum
		f.add(s.nps)
	}
	a.users.each(func(_ string, u *user) {
		if u.out || u.more == nil || u.more.npsAt.zero() {
			return
		}
		if d := DayOf(u.more.npsAt.time); inWindow(d, a.day, npsDays) {
			n := answerOf(u.more.nps)
			of(d).add(answers{a.users.scale(n.count), a.users.scale(n.promoters), a.users.scale(n.detractors)})
		}
	})
	var facts []SurveyFact
	for _, f := range days { // in any order: they are sorted next
		facts = append(facts, *f)
	}
	slices.SortFunc(facts, func(x, y SurveyFact) int { return cmp.Compare(x.Day, y.Day) })
	return facts
}

func (f *SurveyFact) add(n answers) {
	f.NPS += n.count
	f.Promoters += n.promoters
	f.Detractors += n.detractors
}

// milestoneFacts are the workspace's milestones, for an account whose life began on a day.
func (a *Account) milestoneFacts(set *scorecard.Set, first *Day) []MilestoneFact {
	begun := a.day
	if first != nil {
		begun = *first
	}
	var facts []MilestoneFact
	for i := range set.Milestones {
		m := MilestoneFact{Feature: set.Milestones[i].Feature, Due: begun + Day(set.Milestones[i].DueDay)}
		if f, _ := a.features.find(m.Feature); f != nil {
			m.Reached = dayOrNil(f.first)
		}
		facts = append(facts, m)
	}
	return facts
}

// pulseFact is the latest rating; nil: there is none.
func (a *Account) pulseFact() *PulseFact {
	if a.pulse == 0 {
		return nil
	}
	f := &PulseFact{Pulse: a.pulse, At: a.pulseAt.time, Current: inWindow(DayOf(a.pulseAt.time), a.day, pulseDays)}
	if a.pulseText != nil {
		f.Author, f.Note = a.pulseText.author, a.pulseText.note
	}
	return f
}
