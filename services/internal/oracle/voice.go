package oracle

import (
	"math/big"
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// This file holds the measures of tickets, surveys and champions.

func (l ledger) openTickets() *big.Rat {
	sum := int64(0)
	for _, t := range l.tickets() {
		if !t.closed() {
			sum += t.points()
		}
	}
	return whole(sum)
}

func (l ledger) ticketVolume() *big.Rat {
	n := int64(0)
	for _, t := range l.tickets() {
		if opened, ok := t.opened(); ok && within(opened, l.today-29, l.today) {
			n++
		}
	}
	return whole(n)
}

func (l ledger) resolutionHours() *big.Rat {
	var hours []*big.Rat
	for _, t := range l.tickets() {
		opened, ok := t.opened()
		end, _ := t.last(eventv1.Ticket_ACTION_CLOSED)
		if ok && t.closed() && within(end, l.today-89, l.today) {
			hours = append(hours, through(whole(end.Time-opened.Time), whole(hour)))
		}
	}
	if len(hours) == 0 {
		return nil
	}
	slices.SortFunc(hours, (*big.Rat).Cmp)
	return through(plus(hours[(len(hours)-1)/2], hours[len(hours)/2]), whole(2))
}

func (l ledger) reopenRate() *big.Rat {
	reopened, closed := int64(0), int64(0)
	for _, t := range l.tickets() {
		if e, ok := t.last(eventv1.Ticket_ACTION_REOPENED); ok && within(e, l.today-89, l.today) {
			reopened++
		}
		if e, ok := t.last(eventv1.Ticket_ACTION_CLOSED); ok && within(e, l.today-89, l.today) {
			closed++
		}
	}
	if closed == 0 {
		return nil
	}
	return atMost100(percent(whole(reopened), whole(closed)))
}

// answers returns the events of the days from..today that answer a survey.
func (l ledger) answers(of eventv1.Survey_Type, from Day) []*eventv1.Event {
	var found []*eventv1.Event
	for _, e := range l.events {
		s := e.Event.GetSurvey()
		if s.GetType() == of && s.GetAction() == eventv1.Survey_ACTION_ANSWERED && within(e, from, l.today) {
			found = append(found, e.Event)
		}
	}
	return found
}

func (l ledger) nps() *big.Rat {
	var anonymous []int32
	named := map[string]int32{}
	for _, e := range l.answers(eventv1.Survey_TYPE_NPS, l.today-179) {
		if e.GetUserId() == "" {
			anonymous = append(anonymous, e.GetSurvey().GetScore())
		} else {
			named[l.person[e.GetUserId()]] = e.GetSurvey().GetScore() // later ones overwrite
		}
	}
	all := anonymous
	for _, score := range named {
		all = append(all, score)
	}
	if len(all) == 0 {
		return nil
	}
	net := int64(0)
	for _, score := range all {
		if score >= 9 {
			net++
		}
		if score <= 6 {
			net--
		}
	}
	return percent(whole(net), whole(int64(len(all))))
}

func (l ledger) csat() *big.Rat {
	good, all := int64(0), int64(0)
	for _, e := range l.answers(eventv1.Survey_TYPE_CSAT, l.today-89) {
		enough := int32(4)
		if e.GetSurvey().GetScale() == 7 {
			enough = 5
		}
		if e.GetSurvey().GetScore() >= enough {
			good++
		}
		all++
	}
	for _, t := range l.tickets() {
		if e, ok := t.rating(); ok && within(e, l.today-89, l.today) {
			if e.Event.GetTicket().GetRating() >= 4 {
				good++
			}
			all++
		}
	}
	if all == 0 {
		return nil
	}
	return percent(whole(good), whole(all))
}

func (l ledger) ces() *big.Rat {
	sum, n := int64(0), int64(0)
	for _, e := range l.answers(eventv1.Survey_TYPE_CES, l.today-89) {
		sum += int64(e.GetSurvey().GetScore())
		n++
	}
	if n == 0 {
		return nil
	}
	return through(whole(sum), whole(n))
}

func (l ledger) surveyResponseRate() *big.Rat {
	answered, sent := int64(0), int64(0)
	for _, e := range l.events {
		if !within(e, l.today-179, l.today) {
			continue
		}
		switch e.Event.GetSurvey().GetAction() {
		case eventv1.Survey_ACTION_ANSWERED:
			answered++
		case eventv1.Survey_ACTION_SENT:
			sent++
		case eventv1.Survey_ACTION_UNSPECIFIED: // no survey
		}
	}
	if sent == 0 {
		return nil
	}
	return atMost100(percent(whole(answered), whole(sent)))
}

// givesRole tells whether the event sets or clears the role of the user it names.
func givesRole(e *eventv1.Event) bool {
	return e.GetUserId() != "" && e.GetUser() != nil && e.GetUser().Role != nil
}

func (l ledger) championSeen() *big.Rat {
	role, since := map[string]string{}, map[string]Day{}
	for _, e := range l.events {
		if !givesRole(e.Event) {
			continue
		}
		name := l.person[e.Event.GetUserId()]
		role[name] = e.Event.GetUser().GetRole() // later ones overwrite
		if _, ok := since[name]; !ok && role[name] == "champion" {
			since[name] = DayOf(e.Time)
		}
	}
	seen := map[string]Day{}
	for _, e := range l.events {
		if e.Event.GetUserId() != "" && sees(e.Event) {
			seen[l.person[e.Event.GetUserId()]] = DayOf(e.Time) // later ones overwrite
		}
	}
	var least *big.Rat
	for name := range role {
		if role[name] != "champion" {
			continue
		}
		last, ok := seen[name]
		if !ok {
			last = since[name]
		}
		if days := whole(int64(l.today - last)); least == nil || days.Cmp(least) < 0 {
			least = days
		}
	}
	return least
}
