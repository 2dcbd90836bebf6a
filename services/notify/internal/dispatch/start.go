package dispatch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// Job is a try to be made.
type Job struct {
	// ID of the notice, Workspace and Receiver that it goes to.
	ID, Workspace string
	Receiver      *receiver.Receiver
	// Notifications to be sent, one after the other. There is more than one only where active alerts are sent again.
	Notifications []*sender.Notification
	// Refresh says that active alerts are sent again: what becomes of it is not recorded.
	Refresh bool
}

// Plan is what is to be done now: first the records are written, then the jobs are done.
type Plan struct {
	Writes []delivery.Write
	Jobs   []Job
}

// candidate is a notice that may be sent now.
type candidate struct {
	key    string
	open   *open
	notice *notice
	at     time.Time
}

func (c *candidate) id() string {
	if c.open != nil {
		return c.open.id
	}

	return c.notice.record.ID
}

func (c *candidate) critical() bool {
	if c.open != nil {
		return c.open.critical
	}

	return c.notice.record.Critical
}

// Start returns what is to be done at a time.
func (s *State) Start(now time.Time) (Plan, error) {
	var p Plan

	for _, at := range slices.SortedFunc(maps.Keys(s.lanes), place.compare) { // a test that fails can be repeated
		if err := s.startLane(&p, at, s.lanes[at], now); err != nil {
			return Plan{}, err
		}
	}

	return p, nil
}

func (s *State) startLane(p *Plan, at place, l *lane, now time.Time) error {
	r := s.setup(at.workspace).Receivers.Receiver(at.name)
	if r != nil {
		s.startRefresh(p, at, l, r, now)
		l.fill(r, now)

		// What is sent again must not come after the end of an alert in it: it would begin anew at the receiver.
		if l.refreshing || l.inFlight >= r.Concurrency || l.tokens < 1 {
			return nil
		}
	}

	for _, c := range l.candidates(now) {
		if r != nil && (l.inFlight >= r.Concurrency || l.tokens < 1) {
			return nil
		}

		n, err := s.startOne(p, at, l, c, r, now)
		if err != nil {
			return err
		}

		if n == nil {
			continue
		}

		n.inFlight = true
		l.inFlight++
		l.tokens--
		p.Jobs = append(p.Jobs, Job{
			ID: n.record.ID, Workspace: at.workspace, Receiver: r, Notifications: []*sender.Notification{notification(n)},
		})
	}

	return nil
}

// startOne closes a notice if it is open, and returns it if it is to be sent.
func (s *State) startOne(
	p *Plan, at place, l *lane, c *candidate, r *receiver.Receiver, now time.Time,
) (*notice, error) {
	if c.open != nil {
		record := s.close(at, c.key, c.open, now)
		if r == nil && record.Status == delivery.StatusPending {
			record.Status, record.Reason, record.NextTry = delivery.StatusDead, delivery.ReasonReceiver, time.Time{}
		}

		p.Writes = append(p.Writes, s.write(record))

		if err := s.apply(record); err != nil {
			return nil, err
		}

		return l.group(c.key).busy[record.ID], nil // nil: it was left out
	}

	if r == nil {
		record := *c.notice.record
		record.Status, record.Reason, record.NextTry = delivery.StatusDead, delivery.ReasonReceiver, time.Time{}
		record.At = now
		p.Writes = append(p.Writes, s.write(&record))

		return nil, s.apply(&record)
	}

	return c.notice, nil
}

// candidates are the notices that may be sent now, the most urgent first.
func (l *lane) candidates(now time.Time) []*candidate {
	var all []*candidate

	for key, g := range l.groups {
		for _, n := range g.busy {
			if !n.inFlight && !n.record.NextTry.After(now) {
				all = append(all, &candidate{key: key, notice: n, at: n.record.NextTry})
			}
		}

		if len(g.busy) == 0 && len(g.open) > 0 && !g.open[0].due.After(now) {
			all = append(all, &candidate{key: key, open: g.open[0], at: g.open[0].due})
		}

		if len(g.busy) == 0 && len(g.open) == 0 && now.Sub(g.last) > maxInterval {
			delete(l.groups, key)
		}
	}

	slices.SortFunc(all, func(a, b *candidate) int {
		if a.critical() != b.critical() {
			if a.critical() {
				return -1
			}

			return 1
		}

		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.key, b.key), strings.Compare(a.id(), b.id()))
	})

	return all
}

// maxInterval is the longest interval that a document can ask for.
const maxInterval = 24 * time.Hour

// fill puts the tokens of the time that has passed into the bucket.
func (l *lane) fill(r *receiver.Receiver, now time.Time) {
	burst := max(1, float64(r.Rate)/6) // of ten seconds

	if l.filled.IsZero() {
		l.tokens = burst
	} else if passed := now.Sub(l.filled); passed > 0 {
		l.tokens = min(burst, l.tokens+passed.Minutes()*float64(r.Rate))
	}

	l.filled = now
}

// notification is what a notice tells. It is the same at every try.
func notification(n *notice) *sender.Notification {
	told := map[string]bool{}
	for _, id := range n.record.Members {
		told[id] = true
	}

	m := &sender.Notification{
		ID: n.record.ID, Group: n.record.Group, Workspace: n.record.Workspace, Sent: n.record.Closed, Digest: n.digest,
	}

	for _, one := range n.members {
		if told[one.id] {
			m.Alerts = append(m.Alerts, one.transition)
		}
	}

	sortAlerts(m.Alerts)

	return m
}

// sortAlerts puts the most severe first, and of the same severity the oldest.
func sortAlerts(all []*alertv1.Transition) {
	slices.SortStableFunc(all, func(a, b *alertv1.Transition) int {
		return cmp.Or(
			cmp.Compare(b.GetAlert().GetSeverity(), a.GetAlert().GetSeverity()),
			a.GetAlert().GetFireTime().AsTime().Compare(b.GetAlert().GetFireTime().AsTime()),
			strings.Compare(a.GetTransitionId(), b.GetTransitionId()),
		)
	})
}
