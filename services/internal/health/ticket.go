package health

import (
	"cmp"
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	maxTickets     = 20_000
	volumeDays     = 30
	resolutionDays = 90
	reopenDays     = 90
	ratingDays     = 90
	// forgetTickets is how many tickets are forgotten at once to make room.
	forgetTickets = maxTickets / 16
)

// ticket is a support ticket. Times are noTime where there was no such event.
type ticket struct {
	first, last         Time // of its events
	opened              Time // earliest
	lastOpened          Time
	reopened, closed    Time // latest
	severityAt, ratedAt stamp
	severity, rating    uint8
	escalated           bool
}

func newTicket(at Time) ticket {
	return ticket{first: at, last: at, opened: noTime, lastOpened: noTime, reopened: noTime, closed: noTime}
}

// isClosed says whether the latest of its opened, reopened and closed events is a closed one; at
// equal times closed wins.
func (t *ticket) isClosed() bool {
	return t.closed != noTime && t.closed >= t.lastOpened && t.closed >= t.reopened
}

// apply folds an event of the ticket.
func (t *ticket) apply(e *eventv1.Ticket, at stamp) {
	t.first, t.last = min(t.first, at.time), max(t.last, at.time)
	switch e.GetAction() {
	case eventv1.Ticket_ACTION_OPENED:
		if t.opened == noTime || at.time < t.opened {
			t.opened = at.time
		}
		t.lastOpened = max(t.lastOpened, at.time)
	case eventv1.Ticket_ACTION_REOPENED:
		t.reopened = max(t.reopened, at.time)
	case eventv1.Ticket_ACTION_CLOSED:
		t.closed = max(t.closed, at.time)
	case eventv1.Ticket_ACTION_ESCALATED:
		t.escalated = true
	case eventv1.Ticket_ACTION_UNSPECIFIED, eventv1.Ticket_ACTION_UPDATED, eventv1.Ticket_ACTION_FIRST_REPLY:
	}
	if s := e.GetSeverity(); s != eventv1.Ticket_SEVERITY_UNSPECIFIED && at.beats(t.severityAt) {
		t.severity, t.severityAt = uint8(s), at.keep() //nolint:gosec // checked before
	}
	if e.Rating != nil && at.beats(t.ratedAt) {
		t.rating, t.ratedAt = uint8(e.GetRating()), at.keep() //nolint:gosec // checked before
	}
}

// points is what an open ticket weighs.
func (t *ticket) points() int64 {
	points := int64(2)
	switch eventv1.Ticket_Severity(t.severity) {
	case eventv1.Ticket_SEVERITY_LOW:
		points = 1
	case eventv1.Ticket_SEVERITY_HIGH:
		points = 5
	case eventv1.Ticket_SEVERITY_URGENT:
		points = 10
	case eventv1.Ticket_SEVERITY_NORMAL, eventv1.Ticket_SEVERITY_UNSPECIFIED:
	}
	if t.escalated {
		points *= 2
	}
	return points
}

// urgentBefore returns since when the ticket, which is open, is open, if it is urgent and open longer than since another
// time; else that time.
func (t *ticket) urgentBefore(other Time) Time {
	if eventv1.Ticket_Severity(t.severity) != eventv1.Ticket_SEVERITY_URGENT {
		return other
	}
	since := t.first
	if last := max(t.lastOpened, t.reopened); last != noTime {
		since = last
	}
	if other == noTime {
		return since
	}
	return min(since, other)
}

// past says whether the ticket is closed and outside every window.
func (t *ticket) past(today Day) bool {
	return t.isClosed() &&
		!timeInWindow(t.closed, today, resolutionDays) &&
		!timeInWindow(t.opened, today, volumeDays) &&
		!timeInWindow(t.reopened, today, reopenDays) &&
		(t.rating == 0 || !timeInWindow(t.ratedAt.time, today, ratingDays))
}

func timeInWindow(t Time, today Day, n int64) bool {
	return t != noTime && inWindow(DayOf(t), today, n)
}

// ticketStats are sums over all tickets for one day, kept until a ticket changes.
type ticketStats struct {
	valid            bool
	day              Day
	open             int64 // points
	volume, lately   int64
	reopens, closes  int64
	rated, ratedGood int64
	resolved         int64
	// resolution is the sum of the middle two durations (of the middle one, twice), microseconds.
	resolution int64
	// urgent is since when the urgent ticket is open that is open longest; noTime: none is.
	urgent Time
}

// refreshTickets makes the ticket sums of today unless they stand.
func (a *Account) refreshTickets() {
	if a.ticketStats.valid && a.ticketStats.day == a.day {
		return
	}
	s := ticketStats{valid: true, day: a.day, urgent: noTime}
	var durations []int64
	a.tickets.each(func(_ string, t *ticket) {
		closed := t.isClosed()
		closedLately := timeInWindow(t.closed, a.day, resolutionDays)
		if !closed {
			s.open += t.points()
			s.urgent = t.urgentBefore(s.urgent)
		}
		if timeInWindow(t.opened, a.day, volumeDays) {
			s.volume++
		}
		if timeInWindow(t.opened, a.day, ticketDays) {
			s.lately++
		}
		if closedLately {
			s.closes++
		}
		if timeInWindow(t.reopened, a.day, reopenDays) {
			s.reopens++
		}
		if t.rating > 0 && timeInWindow(t.ratedAt.time, a.day, ratingDays) {
			s.rated++
			if t.rating >= 4 {
				s.ratedGood++
			}
		}
		if closed && closedLately && t.opened != noTime {
			durations = append(durations, t.closed-t.opened)
		}
	})
	if n := len(durations); n > 0 {
		slices.Sort(durations)
		s.resolved = int64(n)
		s.resolution = durations[n/2] + durations[(n-1)/2]
	}
	a.ticketStats = s
}

// makeRoom forgets the tickets that closed first, of those closed and outside every window.
func (a *Account) makeRoom() {
	type past struct {
		id     string
		closed Time
	}
	var all []past
	a.tickets.each(func(id string, t *ticket) {
		if t.past(a.day) {
			all = append(all, past{id, t.closed})
		}
	})
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(x, y past) int {
		return cmp.Or(cmp.Compare(x.closed, y.closed), cmp.Compare(x.id, y.id))
	})
	last := all[min(len(all), forgetTickets)-1]
	a.tickets.retain(func(id string, t *ticket) bool {
		return !t.past(a.day) || t.closed > last.closed || (t.closed == last.closed && id > last.id)
	})
}
