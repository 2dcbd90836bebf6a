package dispatch

import (
	"time"
)

// Next is when something is to be done next, if nothing happens until then; zero: nothing is.
func (s *State) Next(now time.Time) time.Time {
	next := s.nextDigest(now)

	for at, l := range s.lanes {
		r := s.setup(at.workspace).Receivers.Receiver(at.name)
		wake := l.next()

		if r != nil && (l.refreshing || l.inFlight >= r.Concurrency) {
			continue // whoever is done wakes us
		}

		if r != nil && r.Resend > 0 && (wake.IsZero() || l.refreshAt.Before(wake)) && s.anyActive(at) {
			wake = later(l.refreshAt, now)
		}

		if r != nil && l.tokens < 1 && !wake.IsZero() {
			short := (1 - l.tokens) / float64(r.Rate)
			wake = later(wake, now.Add(time.Duration(short*float64(time.Minute))+time.Millisecond))
		}

		if !wake.IsZero() && (next.IsZero() || wake.Before(next)) {
			next = wake
		}
	}

	return next
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

// next is when a notice of the lane may be sent.
func (l *lane) next() time.Time {
	var next time.Time

	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}

	for _, g := range l.groups {
		for _, n := range g.busy {
			if !n.inFlight {
				sooner(n.record.NextTry)
			}
		}

		if len(g.busy) == 0 && len(g.open) > 0 {
			sooner(g.open[0].due)
		}
	}

	return next
}

// Stats is what waits for a receiver.
type Stats struct {
	Workspace, Receiver string
	// Waiting is how many deliveries have no end yet, Dead how many notices were given up.
	Waiting, Dead int
	// Oldest is when the oldest of those that wait was decided; zero: none.
	Oldest time.Time
}

// Stats tells what waits, for each receiver.
func (s *State) Stats() []Stats {
	all := make([]Stats, 0, len(s.lanes))

	for at, l := range s.lanes {
		one := Stats{Workspace: at.workspace, Receiver: at.name, Dead: len(l.dead)}

		sooner := func(at time.Time) {
			if one.Oldest.IsZero() || at.Before(one.Oldest) {
				one.Oldest = at
			}
		}

		for _, g := range l.groups {
			for _, o := range g.open {
				one.Waiting += len(o.members)
				sooner(o.since)
			}

			for _, n := range g.busy {
				one.Waiting += len(n.record.Members)
				sooner(n.record.Closed)
			}
		}

		all = append(all, one)
	}

	return all
}
