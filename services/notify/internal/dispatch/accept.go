package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

const (
	// maxMembers bounds what one notice tells.
	maxMembers = 1000
	idBytes    = 16
)

// Accept decides where a transition goes and returns the deliveries to be written. What was decided before is not
// decided again.
func (s *State) Accept(sequence uint64, r *logv1.AlertRecord, now time.Time) ([]delivery.Write, error) {
	if sequence <= s.cursor.Sequence {
		return nil, nil
	}

	var (
		writes []delivery.Write
		ws     = r.GetWorkspace()
		t      = r.GetTransition()
	)

	for _, c := range s.choices(ws, t.GetAlert()) {
		if _, known := s.seen[seenKey(ws, c.Receiver.Name, t.GetTransitionId())]; known {
			continue
		}

		d := s.decide(ws, t, c, now)
		if d == nil {
			continue
		}

		encoded, err := proto.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("encoding transition %s: %w", t.GetTransitionId(), err)
		}

		d.Sequence, d.Generation, d.Transition = sequence, s.cursor.Generation, encoded

		if err := s.apply(d); err != nil {
			return nil, err
		}

		writes = append(writes, delivery.Write{Record: d})
	}

	return writes, nil
}

// Advance moves the cursor, once all deliveries up to there are written. The generation stays.
func (s *State) Advance(to delivery.Cursor) delivery.Write {
	to.Generation = s.cursor.Generation

	return s.move(to)
}

// Anew moves the cursor to the begin, because ALERTS does not go back to where it was. What has its deliveries is not
// decided again, as soon as the state is loaded again.
func (s *State) Anew() delivery.Write {
	return s.move(delivery.Cursor{Generation: s.cursor.Generation + 1})
}

func (s *State) move(to delivery.Cursor) delivery.Write {
	_ = s.apply(&to) // nothing of it can fail

	return s.write(&to)
}

// choices are the receivers that an alert goes to now, and those that have heard of it before.
func (s *State) choices(workspace string, a *alertv1.Alert) []receiver.Choice {
	set := s.setup(workspace).Receivers
	all := set.Choose(a)
	before := s.alerts[place{workspace, a.GetAlertId()}]

	for name := range before {
		r := set.Receiver(name)
		if r == nil || slices.ContainsFunc(all, func(c receiver.Choice) bool { return c.Receiver == r }) {
			continue
		}

		all = append(all, receiver.Choice{Receiver: r, Route: set.RouteTo(name)})
	}

	slices.SortStableFunc(all, func(a, b receiver.Choice) int { return strings.Compare(a.Receiver.Name, b.Receiver.Name) })

	return all
}

// decide makes a delivery of a transition; nil: nothing is to be said about it.
func (s *State) decide(workspace string, t *alertv1.Transition, c receiver.Choice, now time.Time) *delivery.Delivery {
	a := t.GetAlert()
	th := s.thread(workspace, a.GetAlertId(), c.Receiver.Name)
	d := &delivery.Delivery{
		Workspace: workspace, Receiver: c.Receiver.Name, AlertID: a.GetAlertId(), Revision: a.GetRevision(),
		Kind: t.GetKind(), At: now,
	}

	wanted := c.Receiver.Wants(t.GetKind())

	switch {
	case !wanted && th == nil:
		return nil
	case a.GetQuiet():
		d.Skipped = delivery.ReasonQuiet
	case s.outdated(t, now) && th == nil:
		d.Skipped = delivery.ReasonOutdated
	case t.GetKind() == resolved && th == nil:
		d.Skipped = delivery.ReasonNotTold
	case len(a.GetHeldBy()) > 0 && t.GetKind() != resolved:
		d.Skipped = delivery.ReasonHeld
	case !wanted:
		d.Skipped = delivery.ReasonNotWanted
	}

	if d.Skipped == "" {
		s.place(d, th, a, c, now)
	}

	return d
}

// outdated tells whether a transition may have had a delivery that was removed for its age. Where the cursor has never
// moved back, none had that comes behind it.
func (s *State) outdated(t *alertv1.Transition, now time.Time) bool {
	return s.cursor.Generation > 0 && s.retention > 0 && now.Sub(t.GetAt().AsTime()) > s.retention
}

// place says in which notice a delivery is, and when that is due.
func (s *State) place(d *delivery.Delivery, th *thread, a *alertv1.Alert, c receiver.Choice, now time.Time) {
	d.Critical = a.GetSeverity() == alertv1.Severity_SEVERITY_CRITICAL
	d.Group = groupKey(a, c, d.Critical)

	if th != nil { // what is told of one alert stays in order
		d.Group = th.group
	}

	g := s.lane(d.Workspace, d.Receiver).group(d.Group)
	d.Due, d.Slept = due(g, c, d.Critical, now)

	if n := len(g.open); n > 0 && len(g.open[n-1].members) < maxMembers {
		d.Notice = g.open[n-1].id

		return
	}

	d.Notice = noticeID(d)
}

// due is when a delivery is to be sent, as far as it goes.
func due(g *group, c receiver.Choice, critical bool, now time.Time) (at time.Time, slept bool) {
	wait, interval := c.Route.GroupWait, c.Route.GroupInterval
	if critical {
		wait, interval = c.Route.CriticalWait, c.Route.GroupWait
	}

	switch c.Receiver.Settings.Kind() {
	case sender.KindPagerDuty, sender.KindAlertmanager: // they group by themselves
		wait, interval = 0, 0
	case sender.KindSlack, sender.KindEmail, sender.KindWebhook:
	}

	at = now.Add(wait)
	if next := g.last.Add(interval); !g.last.IsZero() && next.After(at) {
		at = next
	}

	if q := c.Route.Quiet; q != nil && (!critical || !q.ExceptCritical) {
		end := q.Until(at)

		return end, end.After(at)
	}

	return at, false
}

// groupKey names the group of an alert at a receiver.
func groupKey(a *alertv1.Alert, c receiver.Choice, critical bool) string {
	var b strings.Builder

	b.WriteString(c.Receiver.Name + "{")

	if c.Receiver.Single() {
		b.WriteString("alert_id=" + strconv.Quote(a.GetAlertId()))
	} else {
		for i, field := range c.Route.GroupBy {
			if i > 0 {
				b.WriteString(",")
			}

			b.WriteString(field + "=" + strconv.Quote(matcher.Field(a, field)))
		}
	}

	b.WriteString("}")

	if critical {
		b.WriteString(" critical")
	}

	return b.String()
}

// noticeID is the id of the notice that a delivery opens. It is the same whoever decides it.
func noticeID(d *delivery.Delivery) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{d.Workspace, d.Receiver, d.Group, d.TransitionID()}, "\x00")))

	return hex.EncodeToString(sum[:idBytes])
}
