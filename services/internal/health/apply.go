package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Refusal says why an event does not apply. Nothing of a refused event is in the state.
type Refusal struct {
	// Code is the stable reason.
	Code string
	// Field is the path of the field that is wrong; empty for the event as a whole.
	Field string
	// Message says it to a person.
	Message string
}

// Codes of refusals.
const (
	CodeTooManyTickets = "too_many_tickets"
	CodeTooManyRoles   = "too_many_roles"
	CodeTooManyAliases = "too_many_aliases"
	CodeTooManyTraits  = "too_many_traits"
	CodeInvalidDate    = "invalid_date"
	CodeInvalidValue   = "invalid_value"
	CodeMissingBody    = "missing_body"
	CodeMissingUser    = "missing_user"
	CodeUnknownField   = "unknown_field"
)

// String returns field and reason as text.
func (r *Refusal) String() string {
	if r.Field == "" {
		return r.Message
	}
	return r.Field + ": " + r.Message
}

func invalid(field, message string) *Refusal { return &Refusal{CodeInvalidValue, field, message} }

// maxID bounds ids and names of features, bytes. Ingest is stricter; this keeps the core safe.
const maxID = 1024

// Apply folds an event that happened at a time. The caller has removed duplicates, judged the time
// and rolled the account to today. A refusal leaves the state as it was; nil: applied.
func (a *Account) Apply(ev *eventv1.Event, at Time) *Refusal {
	if len(ev.GetUserId()) > maxID {
		return invalid("user_id", "is longer than 1,024 bytes")
	}
	var r *Refusal
	switch b := ev.GetBody().(type) {
	case *eventv1.Event_Usage:
		r = a.applyUsage(ev, b.Usage, at)
	case *eventv1.Event_Login:
		a.applyLogin(ev, b.Login, at)
	case *eventv1.Event_Ticket:
		r = a.applyTicket(ev, b.Ticket, at)
	case *eventv1.Event_Survey:
		r = a.applySurvey(ev, b.Survey, at)
	case *eventv1.Event_Account:
		r = a.applyAccount(ev, b.Account, at)
	case *eventv1.Event_User:
		r = a.applyUser(ev, b.User, at)
	case *eventv1.Event_Interaction:
		r = a.applyInteraction(ev, b.Interaction, at)
	default:
		r = &Refusal{CodeMissingBody, "", "has no body this version knows"}
	}
	if r != nil {
		return r
	}
	if d := DayOf(at); a.first == noDay || d < a.first {
		a.first = d
	}
	a.dirty = true
	return nil
}

func (a *Account) applyUsage(ev *eventv1.Event, u *eventv1.Usage, at Time) *Refusal {
	quantity := int64(1_000_000)
	if u.QuantityMicros != nil {
		quantity = u.GetQuantityMicros()
	}
	name := u.GetFeature()
	switch {
	case name == "" || len(name) > maxID:
		return invalid("usage.feature", "must have 1 to 1,024 bytes")
	case quantity < 0 || quantity > maxQuantity:
		return invalid("usage.quantity_micros", "must be 0 to 10^15")
	}
	d := DayOf(at)
	a.addQuantity(d, quantity)
	a.useFeature(name, d)
	a.seeAccount(ev.GetUserId(), d)
	return nil
}

func (a *Account) applyLogin(ev *eventv1.Event, l *eventv1.Login, at Time) {
	if l.Success != nil && !l.GetSuccess() {
		return
	}
	d := DayOf(at)
	a.addLogin(d)
	a.seeAccount(ev.GetUserId(), d)
}

// seeAccount notes a usage event or login, of a user if it names one.
func (a *Account) seeAccount(userID string, d Day) {
	a.everSeen = true
	a.lastSeen = max(a.lastSeen, d)
	if userID != "" {
		a.see(userID, d)
	}
}

func (a *Account) applyTicket(ev *eventv1.Event, e *eventv1.Ticket, at Time) *Refusal {
	id := e.GetTicketId()
	switch {
	case id == "" || len(id) > maxID:
		return invalid("ticket.ticket_id", "must have 1 to 1,024 bytes")
	case e.GetAction() < eventv1.Ticket_ACTION_OPENED || e.GetAction() > eventv1.Ticket_ACTION_CLOSED:
		return invalid("ticket.action", "is unknown")
	case e.GetSeverity() < 0 || e.GetSeverity() > eventv1.Ticket_SEVERITY_URGENT:
		return invalid("ticket.severity", "is unknown")
	case e.Rating != nil && (e.GetRating() < 1 || e.GetRating() > 5):
		return invalid("ticket.rating", "must be 1 to 5")
	}
	t, p := a.tickets.find(id)
	if t == nil {
		if a.tickets.count >= maxTickets && !a.makeRoom() {
			return &Refusal{CodeTooManyTickets, "ticket.ticket_id", "the account has 20,000 tickets that count"}
		}
		t = a.tickets.insert(id, newTicket(at))
	} else {
		p.dirty = true
	}
	t.apply(e, stamp{at, ev.GetMessageId()})
	a.everTicket = true
	a.ticketStats.valid = false
	a.ticketsFull = noDay
	return nil
}

func (a *Account) applyInteraction(ev *eventv1.Event, i *eventv1.Interaction, at Time) *Refusal {
	touch := i.GetKind() != eventv1.Interaction_KIND_UNSPECIFIED
	switch {
	case i.GetKind() < 0 || i.GetKind() > eventv1.Interaction_KIND_BUSINESS_REVIEW:
		return invalid("interaction.kind", "is unknown")
	case i.Pulse != nil && (i.GetPulse() < 1 || i.GetPulse() > 5):
		return invalid("interaction.pulse", "must be 1 to 5")
	case !touch && i.Pulse == nil:
		return invalid("interaction", "needs a kind, a pulse, or both")
	}
	if touch {
		a.lastTouch = max(a.lastTouch, DayOf(at))
	}
	if s := (stamp{at, ev.GetMessageId()}); i.Pulse != nil && s.beats(a.pulseAt) {
		a.pulse, a.pulseAt = uint8(i.GetPulse()), s.keep() //nolint:gosec // 1 to 5
	}
	return nil
}

func (a *Account) applyUser(ev *eventv1.Event, u *eventv1.User, at Time) *Refusal {
	id, previous := ev.GetUserId(), u.GetPreviousUserId()
	switch {
	case id == "":
		return &Refusal{CodeMissingUser, "user_id", "names no user"}
	case len(previous) > maxID:
		return invalid("user.previous_user_id", "is longer than 1,024 bytes")
	case len(u.GetRole()) > maxID:
		return invalid("user.role", "is longer than 1,024 bytes")
	}
	s := stamp{at, ev.GetMessageId()}
	root := a.root(id)
	other := root
	if previous != "" {
		other = a.root(previous)
	}
	if root != other && a.aliases.count >= maxAliases {
		return &Refusal{CodeTooManyAliases, "user.previous_user_id", "the account has 65,536 joined user ids"}
	}
	if u.GetRole() != "" && a.roles >= maxRoles && a.wouldAddRole(root, other, s) {
		return &Refusal{CodeTooManyRoles, "user.role", "the account has 1,000 users with a role"}
	}
	a.unite(root, other, DayOf(at))
	if u.Role != nil {
		a.setRole(min(root, other), u.GetRole(), s)
	}
	return nil
}

// wouldAddRole says whether one more user would have a role if s set it for the user that the two
// ids are.
func (a *Account) wouldAddRole(root, other string, s stamp) bool {
	for _, id := range [...]string{root, other} {
		u, _ := a.users.find(id)
		if u != nil && (u.role() != "" || (u.more != nil && !s.beats(u.more.roleAt))) {
			return false
		}
	}
	return true
}

func (a *Account) setRole(root, role string, s stamp) {
	u := a.user(root, role != "")
	if u == nil {
		return
	}
	before, had := a.stats.of(u), u.role() != ""
	if !u.setRole(role, s) {
		return
	}
	switch has := u.role() != ""; {
	case has && !had:
		a.roles++
	case had && !has:
		a.roles--
	}
	a.stats.replace(before, a.stats.of(u))
	if u.out && u.role() == "" { // nothing holds it any more
		a.users.remove(root)
		a.outs--
	}
	a.thinUsers()
}
