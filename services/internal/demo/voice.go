package demo

import (
	"strconv"
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// ticket writes the life of a ticket that is opened on a day.
func (w *writer) ticket(day time.Time) {
	w.tickets++
	id := w.account.ID + "-t" + strconv.Itoa(w.tickets)
	user := w.account.user(w.random.IntN(w.account.users))
	at := day.Add(time.Duration(8*3600+w.random.IntN(8*3600)) * time.Second)

	step := func(at time.Time, t *eventv1.Ticket) {
		t.TicketId = id
		w.add(at, user, func(e *eventv1.Event) { e.Body = &eventv1.Event_Ticket{Ticket: t} })
	}

	severity := w.severity()
	step(at, &eventv1.Ticket{Action: eventv1.Ticket_ACTION_OPENED, Severity: severity})
	step(at.Add(time.Duration(10+w.random.IntN(300))*time.Minute), &eventv1.Ticket{Action: eventv1.Ticket_ACTION_FIRST_REPLY})

	severe := severity >= eventv1.Ticket_SEVERITY_HIGH
	if severe && w.chance(0.3) {
		step(at.Add(6*time.Hour), &eventv1.Ticket{Action: eventv1.Ticket_ACTION_ESCALATED})
	}

	if w.ago(at) < 30 && w.chance(w.plot.unsolved) {
		return // still open at the end
	}

	closed := at.Add(time.Duration(w.plot.hours * (0.4 + 1.2*w.random.Float64()) * float64(time.Hour)))
	end := &eventv1.Ticket{Action: eventv1.Ticket_ACTION_CLOSED}

	if w.chance(w.plot.answers) {
		end.Rating = new(w.answer(1, 5))
	}

	step(closed, end)

	if severe && w.plot.mood < 0 && w.chance(0.35) {
		step(closed.Add(30*time.Hour), &eventv1.Ticket{Action: eventv1.Ticket_ACTION_REOPENED})
		step(closed.Add(90*time.Hour), &eventv1.Ticket{Action: eventv1.Ticket_ACTION_CLOSED})
	}
}

// outrage writes what an angry account suffers right now: urgent tickets that nobody solves.
func (w *writer) outrage() {
	for range 2 + w.random.IntN(2) {
		w.tickets++
		id := w.account.ID + "-t" + strconv.Itoa(w.tickets)
		at := w.portfolio.End.Add(-time.Duration(30+w.random.IntN(240)) * time.Hour)
		severity := pick(w.random, eventv1.Ticket_SEVERITY_URGENT, eventv1.Ticket_SEVERITY_HIGH)

		w.add(at, w.account.user(1), func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
				TicketId: id, Action: eventv1.Ticket_ACTION_OPENED, Severity: severity,
			}}
		})
		w.add(at.Add(20*time.Hour), w.account.user(1), func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{TicketId: id, Action: eventv1.Ticket_ACTION_ESCALATED}}
		})
	}
}

func (w *writer) severity() eventv1.Ticket_Severity {
	if w.chance(w.plot.severe) {
		if w.chance(0.4) {
			return eventv1.Ticket_SEVERITY_URGENT
		}

		return eventv1.Ticket_SEVERITY_HIGH
	}

	if w.chance(0.4) {
		return eventv1.Ticket_SEVERITY_LOW
	}

	return eventv1.Ticket_SEVERITY_NORMAL
}

// answer draws a rating between low and high around the account's mood.
func (w *writer) answer(low, high int32) int32 {
	middle := float64(low+high)/2 + w.plot.mood*float64(high-low)/2
	drawn := middle + w.random.NormFloat64()*float64(high-low)/7

	return min(high, max(low, int32(drawn+0.5)))
}

// surveys writes what people are asked, and what they say: nps each quarter, csat and ces now and
// then.
func (w *writer) surveys() {
	rounds := []struct {
		kind      eventv1.Survey_Type
		every     int // days
		low, high int32
	}{
		{eventv1.Survey_TYPE_NPS, 45, 0, 10},
		{eventv1.Survey_TYPE_CSAT, 30, 1, 5},
		{eventv1.Survey_TYPE_CES, 60, 1, 7},
	}

	for _, round := range rounds {
		first := w.account.begins.AddDate(0, 0, 5+w.random.IntN(round.every))

		for day := first; day.Before(w.portfolio.End); day = day.AddDate(0, 0, round.every) {
			for range max(2, w.account.users/5) {
				w.survey(day, round.kind, round.low, round.high)
			}
		}
	}
}

func (w *writer) survey(day time.Time, kind eventv1.Survey_Type, low, high int32) {
	user := w.account.user(w.random.IntN(w.account.users))
	at := day.Add(time.Duration(9*3600+w.random.IntN(3600)) * time.Second)
	w.add(at, user, func(e *eventv1.Event) {
		e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{Type: kind, Action: eventv1.Survey_ACTION_SENT}}
	})

	if !w.chance(w.plot.answers) {
		return
	}

	score := w.answer(low, high)
	w.add(at.Add(time.Duration(1+w.random.IntN(60))*time.Hour), user, func(e *eventv1.Event) {
		e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{
			Type: kind, Action: eventv1.Survey_ACTION_ANSWERED, Score: &score, Comment: comment(score, low, high),
		}}
	})
}

func comment(score, low, high int32) string {
	switch {
	case score <= low+(high-low)/4:
		return "We lose hours every week."
	case score >= high-(high-low)/5:
		return "Does what we need, every day."
	default:
		return ""
	}
}

// impression is what a success manager notes with a pulse.
func impression(pulse int) string {
	switch pulse {
	case 1:
		return "They are looking at others. The new owner does not answer."
	case 2:
		return "Unhappy with open tickets; asked for a plan."
	case 3:
		return "No complaints, and no plans with us either."
	case 4:
		return "They get what they bought, and come to every call."
	default:
		return "They want to roll it out to more teams."
	}
}

// talks writes the meetings with the success manager, and how they felt.
func (w *writer) talks() {
	a := w.account
	first := a.begins.AddDate(0, 0, 2+w.random.IntN(w.plot.touchEvery))

	for n, day := 0, first; day.Before(w.portfolio.End); n, day = n+1, day.AddDate(0, 0, w.plot.touchEvery) {
		if a.Story == Leaving && w.ago(day) < 45 {
			return // nobody answers any more
		}

		kind := pick(w.random, eventv1.Interaction_KIND_CALL, eventv1.Interaction_KIND_MEETING,
			eventv1.Interaction_KIND_EMAIL_REPLY)
		if n%4 == 3 {
			kind = eventv1.Interaction_KIND_BUSINESS_REVIEW
		}

		talk := &eventv1.Interaction{Kind: kind, Author: a.owner}
		if n%2 == 0 {
			pulse := min(5, max(1, w.plot.pulse+w.random.IntN(3)-1))
			talk.Pulse, talk.Note = new(int32(pulse)), impression(pulse)
		}

		w.add(day.Add(time.Duration(10+w.random.IntN(6))*time.Hour), "", func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Interaction{Interaction: talk}
		})
	}
}
