package health

import (
	"fmt"

	"hale.dev/services/internal/scorecard"
)

// tickets tells of the tickets behind one of their measures, each event once. One that came and left the window within the
// span is not told.
func (s *Span) tickets(m scorecard.Measure) []Driver {
	var all []Driver
	for i := range s.Facts.Tickets {
		t := &s.Facts.Tickets[i]
		for _, e := range t.events(m) {
			if e.at == nil {
				continue
			}
			d := Driver{Kind: e.kind, Subject: t.ID, Weight: t.Points}
			day := DayOf(*e.at)
			d.Day = &day
			switch {
			case s.holds(day) && (e.window == 0 || day > s.To-e.window):
				d.Text = fmt.Sprintf("ticket %s (%s) was %s on %s", t.ID, t.Severity, e.what, day)
			case e.window > 0 && s.left(day, e.window):
				d.Kind = DriverAgedOut
				d.Text = fmt.Sprintf("ticket %s (%s) counts no more: it was %s on %s", t.ID, t.Severity, e.what, day)
			default:
				continue
			}
			all = append(all, d)
		}
	}
	return all
}

// ticketEvent is an event of a ticket that counts for a measure, for window days; 0: it does not end.
type ticketEvent struct {
	kind   DriverKind
	what   string
	at     *Time
	window Day
}

// events are the events of a ticket that count for a measure.
func (t *TicketFact) events(m scorecard.Measure) []ticketEvent {
	opened := ticketEvent{kind: DriverTicketOpened, what: "opened", at: t.Opened}
	reopened := ticketEvent{kind: DriverTicketReopened, what: "opened again", at: t.Reopened}
	closed := ticketEvent{kind: DriverTicketClosed, what: "closed", at: t.Closed}
	switch m { //nolint:exhaustive // no other measure lives from what happens to tickets
	case scorecard.OpenTickets:
		if opened.at == nil {
			opened.at = &t.First // it is open since
		}
		return []ticketEvent{opened, reopened, closed}
	case scorecard.TicketVolume:
		opened.window = volumeDays
		return []ticketEvent{opened}
	case scorecard.ReopenRate:
		reopened.window, closed.window = reopenDays, resolutionDays
		return []ticketEvent{reopened, closed}
	case scorecard.ResolutionHours:
		closed.window = resolutionDays
		switch {
		case t.Open:
			return []ticketEvent{reopened} // its resolution counts no more
		case t.Opened != nil:
			return []ticketEvent{closed}
		}
	}
	return nil
}

// surveys tells of the answers behind one of their measures.
func (s *Span) surveys(m scorecard.Measure) []Driver {
	n := tally{span: s, window: surveyDays, thing: "survey answer"}
	answers := func(f *SurveyFact) int64 { return f.Answered }
	switch m { //nolint:exhaustive // no other measure lives from surveys
	case scorecard.NPS:
		answers, n.thing = func(f *SurveyFact) int64 { return f.NPS }, "nps answer"
	case scorecard.CSAT:
		answers, n.window, n.thing = func(f *SurveyFact) int64 { return f.CSAT }, csatDays, "csat answer"
		for i := range s.Facts.Tickets { // a rating of a ticket is one
			if t := &s.Facts.Tickets[i]; t.Rating > 0 {
				n.add(DayOf(t.RatedAt), 1)
			}
		}
	case scorecard.CES:
		answers, n.window, n.thing = func(f *SurveyFact) int64 { return f.CES }, cesDays, "ces answer"
	}
	for i := range s.Facts.Surveys {
		n.add(s.Facts.Surveys[i].Day, answers(&s.Facts.Surveys[i]))
	}
	return n.drivers()
}

// tally counts answers that came into a window, and those that left it; not those that did both.
type tally struct {
	span        *Span
	window      Day
	thing       string
	fresh, gone int64
	last, old   Day
}

// add counts the answers of a day.
func (n *tally) add(d Day, answers int64) {
	switch {
	case answers == 0:
	case n.span.holds(d) && d > n.span.To-n.window:
		n.fresh += answers
		n.last = max(n.last, d)
	case n.span.left(d, n.window):
		n.gone += answers
		n.old = max(n.old, d)
	}
}

func (n *tally) drivers() []Driver {
	var all []Driver
	if n.fresh > 0 {
		all = append(all, Driver{
			Kind: DriverSurveyAnswered, Day: &n.last, Weight: n.fresh, Text: count(n.fresh, n.thing) + " came in",
		})
	}
	if n.gone > 0 {
		all = append(all, Driver{
			Kind: DriverAgedOut, Day: &n.old, Weight: n.gone,
			Text: fmt.Sprintf("%s counted no more after %d days", count(n.gone, n.thing), n.window),
		})
	}
	return all
}
