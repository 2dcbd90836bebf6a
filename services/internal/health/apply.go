package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Apply folds an event that happened at a time. The caller has removed duplicates, judged the time
// and rolled the account to today. A refusal leaves the state as it was; nil: applied.
func (a *Account) Apply(ev *eventv1.Event, at Time) *Refusal {
	if r := Check(ev); r != nil {
		return r
	}
	if r := a.Room(ev, at, a.day); r != nil {
		return r
	}
	a.Add(ev, at)
	return nil
}

// Add is Apply for an event that passed Check, and for which there is Room.
func (a *Account) Add(ev *eventv1.Event, at Time) {
	switch b := ev.GetBody().(type) {
	case *eventv1.Event_Usage:
		a.addUsage(ev, b.Usage, at)
	case *eventv1.Event_Login:
		a.addSignIn(ev, b.Login, at)
	case *eventv1.Event_Ticket:
		a.addTicket(ev, b.Ticket, at)
	case *eventv1.Event_Survey:
		a.addSurvey(ev, b.Survey, at)
	case *eventv1.Event_Account:
		a.addAccount(ev, b.Account, at)
	case *eventv1.Event_User:
		a.addUser(ev, b.User, at)
	case *eventv1.Event_Interaction:
		a.addInteraction(ev, b.Interaction, at)
	}
	if d := DayOf(at); a.first == noDay || d < a.first {
		a.first = d
	}
	source := SourceOfEvent(ev)
	a.lastEvent[source] = max(a.lastEvent[source], at)
	a.dirty = true
}

func (a *Account) addUsage(ev *eventv1.Event, u *eventv1.Usage, at Time) {
	quantity := int64(1_000_000)
	if u.QuantityMicros != nil {
		quantity = u.GetQuantityMicros()
	}
	d := DayOf(at)
	a.addQuantity(d, quantity)
	a.useFeature(u.GetFeature(), d)
	a.seeAccount(ev.GetUserId(), d)
}

func (a *Account) addSignIn(ev *eventv1.Event, l *eventv1.Login, at Time) {
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

func (a *Account) addTicket(ev *eventv1.Event, e *eventv1.Ticket, at Time) {
	id := e.GetTicketId()
	t, p := a.tickets.find(id)
	if t == nil {
		if a.tickets.count >= maxTickets {
			a.makeRoom()
		}
		t = a.tickets.insert(id, newTicket(at))
	} else {
		p.dirty = true
	}
	t.apply(e, stamp{at, ev.GetMessageId()})
	a.everTicket = true
	a.ticketStats.valid = false
	a.ticketsFull = noDay
}

func (a *Account) addInteraction(ev *eventv1.Event, i *eventv1.Interaction, at Time) {
	if i.GetKind() != eventv1.Interaction_KIND_UNSPECIFIED {
		a.lastTouch = max(a.lastTouch, DayOf(at))
	}
	if s := (stamp{at, ev.GetMessageId()}); i.Pulse != nil && s.beats(a.pulseAt) {
		a.pulse, a.pulseAt = uint8(i.GetPulse()), s.keep() //nolint:gosec // 1 to 5
		a.pulseText = pulseTextOf(i)
	}
}

func (a *Account) addUser(ev *eventv1.Event, u *eventv1.User, at Time) {
	root := a.root(ev.GetUserId())
	other := root
	if u.GetPreviousUserId() != "" {
		other = a.root(u.GetPreviousUserId())
	}
	a.unite(root, other, DayOf(at))
	if u.Role != nil {
		a.setRole(min(root, other), u.GetRole(), stamp{at, ev.GetMessageId()})
	}
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
