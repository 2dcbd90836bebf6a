package dispatch

import (
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/matcher"
)

// close freezes a notice: which of its members are told, and which are not.
func (s *State) close(at place, key string, o *open, now time.Time) *delivery.Notice {
	n := &delivery.Notice{
		ID: o.id, Workspace: at.workspace, Receiver: at.name, Group: key, Critical: o.critical,
		Status: delivery.StatusPending, Skipped: map[string]string{}, Closed: now, At: now, Since: now, NextTry: now,
	}

	newest := map[string]*member{}
	for _, m := range o.members {
		if n := newest[m.alertID]; n == nil || n.revision < m.revision {
			newest[m.alertID] = m
		}
	}

	began := map[string]bool{}

	for _, m := range o.members {
		if m.transition.GetKind() != resolved {
			began[m.alertID] = true
		}
	}

	for _, m := range o.members {
		reason := delivery.ReasonOvertaken
		if newest[m.alertID] == m {
			reason = s.leaveOut(at, m, o.slept && began[m.alertID], now)
		}

		if reason == "" {
			n.Members = append(n.Members, m.id)
		} else {
			n.Skipped[m.id] = reason
		}
	}

	if len(n.Members) == 0 {
		n.Status, n.NextTry = delivery.StatusSkipped, time.Time{}
	}

	return n
}

// leaveOut says why the newest transition of an alert is not told; empty: it is. summary says that it began in this
// notice, and that the notice sums up what happened in quiet hours.
func (s *State) leaveOut(at place, m *member, summary bool, now time.Time) string {
	th := s.thread(at.workspace, m.alertID, at.name)

	if m.transition.GetKind() == resolved && th != nil && th.heard {
		return "" // what may be open at the receiver has to end, silenced or not
	}

	latest := m.transition.GetAlert()
	if th != nil && th.latest != nil {
		latest = th.latest.GetAlert()
	}

	if id := s.silencedBy(at.workspace, latest, now); id != "" {
		return delivery.ReasonSilenced + ":" + id
	}

	switch {
	case m.transition.GetKind() == resolved && !summary:
		return delivery.ReasonNotTold
	case m.transition.GetKind() != resolved && len(latest.GetHeldBy()) > 0:
		return delivery.ReasonHeld
	default:
		return ""
	}
}

// silencedBy is the id of a silence that an alert matches; empty: none.
func (s *State) silencedBy(workspace string, a *alertv1.Alert, now time.Time) string {
	for _, one := range s.setup(workspace).Silences {
		if !now.Before(one.Start) && now.Before(one.End) && matcher.All(one.Matchers, a) {
			return one.ID
		}
	}

	return ""
}
