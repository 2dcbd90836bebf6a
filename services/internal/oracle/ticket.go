package oracle

import (
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// ticket is what the events of one ticket say.
type ticket struct {
	events ledger // of this ticket only
}

// tickets returns the account's tickets, in order of their first event.
func (l ledger) tickets() []ticket {
	var order []string
	events := map[string][]Timed{}
	for _, e := range l.events {
		id := e.Event.GetTicket().GetTicketId()
		if e.Event.GetTicket() == nil {
			continue
		}
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
		events[id] = append(events[id], e)
	}
	var all []ticket
	for _, id := range order {
		all = append(all, ticket{events: ledger{events: events[id], today: l.today}})
	}
	return all
}

func did(action eventv1.Ticket_Action) func(*eventv1.Event) bool {
	return func(e *eventv1.Event) bool { return e.GetTicket().GetAction() == action }
}

// last returns the latest event of a kind.
func (t ticket) last(action eventv1.Ticket_Action) (Timed, bool) { return t.events.latest(did(action)) }

// opened returns the earliest opened event.
func (t ticket) opened() (Timed, bool) {
	return t.events.earliest(did(eventv1.Ticket_ACTION_OPENED))
}

// closed tells whether the ticket is closed: its latest closed event is not before any opened or
// reopened one.
func (t ticket) closed() bool {
	end, ok := t.last(eventv1.Ticket_ACTION_CLOSED)
	if !ok {
		return false
	}
	opened, hasOpened := t.last(eventv1.Ticket_ACTION_OPENED)
	reopened, hasReopened := t.last(eventv1.Ticket_ACTION_REOPENED)
	return (!hasOpened || end.Time >= opened.Time) && (!hasReopened || end.Time >= reopened.Time)
}

// points is what the ticket weighs while open.
func (t ticket) points() int64 {
	points := int64(2)
	if e, ok := t.events.latest(func(e *eventv1.Event) bool { return e.GetTicket().GetSeverity() != 0 }); ok {
		switch e.Event.GetTicket().GetSeverity() {
		case eventv1.Ticket_SEVERITY_LOW:
			points = 1
		case eventv1.Ticket_SEVERITY_NORMAL, eventv1.Ticket_SEVERITY_UNSPECIFIED:
			points = 2
		case eventv1.Ticket_SEVERITY_HIGH:
			points = 5
		case eventv1.Ticket_SEVERITY_URGENT:
			points = 10
		}
	}
	if _, ok := t.last(eventv1.Ticket_ACTION_ESCALATED); ok {
		points *= 2
	}
	return points
}

// rating returns the latest event that rated the ticket.
func (t ticket) rating() (Timed, bool) {
	return t.events.latest(func(e *eventv1.Event) bool {
		return e.GetTicket() != nil && e.GetTicket().Rating != nil
	})
}
