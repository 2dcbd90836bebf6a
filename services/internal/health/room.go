package health

import (
	"slices"
	"strings"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Room looks whether the account, once rolled to a day, is inside its bounds with one more event; nil: it
// is. Whether it was rolled before does not matter, as long as the event is not older than what a roll
// to that day forgets. The event has passed Check. Nothing is changed.
func (a *Account) Room(ev *eventv1.Event, at Time, day Day) *Refusal {
	switch b := ev.GetBody().(type) {
	case *eventv1.Event_Ticket:
		return a.roomForTicket(b.Ticket.GetTicketId(), day)
	case *eventv1.Event_Account:
		return a.roomForTraits(b.Account)
	case *eventv1.Event_User:
		return a.roomForUser(ev.GetUserId(), b.User, stamp{at, ev.GetMessageId()}, day)
	}
	return nil
}

// roomForTicket needs the ticket, a free place, or a ticket that can be forgotten. A roll forgets none
// but such.
func (a *Account) roomForTicket(id string, day Day) *Refusal {
	if a.tickets.count < maxTickets {
		return nil
	}
	if t, _ := a.tickets.find(id); t != nil {
		return nil
	}
	if a.ticketsFull != day {
		found := false
		a.tickets.each(func(_ string, t *ticket) { found = found || t.past(day) })
		if found {
			return nil
		}
		a.ticketsFull = day
	}
	return &Refusal{CodeTooManyTickets, "ticket.ticket_id", "the account has 20,000 tickets that count"}
}

func (a *Account) roomForTraits(e *eventv1.Account) *Refusal {
	if len(a.profile.traits)+len(e.GetClear())+len(e.GetTraits()) <= maxTraits {
		return nil
	}
	added := map[string]struct{}{}
	add := func(name string) {
		if _, found := a.profile.searchTrait(name); !found {
			added[name] = struct{}{}
		}
	}
	for _, name := range e.GetClear() {
		if _, ok := fieldOf(name); !ok {
			add(strings.TrimPrefix(name, traitPrefix))
		}
	}
	for _, t := range e.GetTraits() {
		add(t.GetName())
	}
	if len(added) > 0 && len(a.profile.traits)+len(added) > maxTraits {
		return &Refusal{CodeTooManyTraits, "account.traits", "the account has or had 256 traits"}
	}
	return nil
}

func (a *Account) roomForUser(id string, u *eventv1.User, s stamp, day Day) *Refusal {
	if a.aliases.count < maxAliases && a.roles < maxRoles {
		return nil
	}
	root := a.peek(id)
	other := root
	if u.GetPreviousUserId() != "" {
		other = a.peek(u.GetPreviousUserId())
	}
	if root != other && a.aliases.count >= maxAliases && !a.willForgetAliases(day) {
		return &Refusal{CodeTooManyAliases, "user.previous_user_id", "the account has 65,536 joined user ids"}
	}
	if u.GetRole() != "" && a.roles >= maxRoles && a.wouldAddRole(root, other, s) {
		return &Refusal{CodeTooManyRoles, "user.role", "the account has 1,000 users with a role"}
	}
	return nil
}

// wouldAddRole says whether one more user would have a role if s set it for the user that the two
// ids are. Who has a role is never forgotten, so this does not depend on the day.
func (a *Account) wouldAddRole(root, other string, s stamp) bool {
	for _, id := range [...]string{root, other} {
		u, _ := a.users.find(id)
		if u != nil && (u.role() != "" || (u.more != nil && !s.beats(u.more.roleAt))) {
			return false
		}
	}
	return true
}

// peek is root without the shortening of chains.
func (a *Account) peek(id string) string {
	for next, _ := a.aliases.find(id); next != nil; next, _ = a.aliases.find(id) {
		id = next.to
	}
	return id
}

// willForgetAliases says whether a roll to a day forgets some of the ids that were joined.
func (a *Account) willForgetAliases(day Day) bool {
	last := lastForget(day)
	return last > a.day && len(a.staleAliases(last-forgetDays)) > 0
}

// staleAliases finds the other ids of users who are forgotten, or are to be.
func (a *Account) staleAliases(old Day) map[string]struct{} {
	roots := a.roots()
	fresh := map[string]struct{}{}
	a.aliases.each(func(id string, l *alias) {
		if l.day > old {
			fresh[roots[id]] = struct{}{}
		}
	})
	stale := map[string]struct{}{}
	for id, root := range roots {
		u, _ := a.users.find(root)
		if _, ok := fresh[root]; !ok && (u == nil || u.stale(old)) {
			stale[id] = struct{}{}
		}
	}
	return stale
}

// roots returns the id under which the user is kept, for every id that is not it.
func (a *Account) roots() map[string]string {
	ids := make([]string, 0, a.aliases.count)
	a.aliases.each(func(id string, _ *alias) { ids = append(ids, id) })
	slices.Sort(ids) // what an id points to is smaller, and so known before
	roots := make(map[string]string, len(ids))
	for _, id := range ids {
		l, _ := a.aliases.find(id)
		roots[id] = l.to
		if further, ok := roots[l.to]; ok {
			roots[id] = further
		}
	}
	return roots
}
