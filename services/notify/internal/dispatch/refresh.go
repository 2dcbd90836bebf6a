package dispatch

import (
	"fmt"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// startRefresh sends the active alerts of a receiver again, if it is time and it asks for that.
func (s *State) startRefresh(p *Plan, at place, l *lane, r *receiver.Receiver, now time.Time) {
	if r.Resend == 0 || l.refreshing || l.refreshAt.After(now) {
		return
	}

	active := s.active(at)
	if len(active) == 0 {
		l.refreshAt = now.Add(r.Resend)

		return
	}

	sortAlerts(active)

	j := Job{Workspace: at.workspace, Receiver: r, Refresh: true}

	for i := 0; i < len(active); i += maxMembers {
		j.Notifications = append(j.Notifications, &sender.Notification{
			ID: fmt.Sprintf("%s-%d-%d", r.Name, now.Unix(), i/maxMembers), Group: r.Name, Workspace: at.workspace,
			Alerts: active[i:min(i+maxMembers, len(active))], Sent: now,
		})
	}

	l.refreshing = true
	p.Jobs = append(p.Jobs, j)
}

// active are the alerts that a receiver has heard of and that have not ended.
func (s *State) active(at place) []*alertv1.Transition {
	var all []*alertv1.Transition

	for alert, threads := range s.alerts {
		if th := threads[at.name]; alert.workspace == at.workspace && th.active() {
			all = append(all, th.latest)
		}
	}

	return all
}

// anyActive tells whether a receiver has an active alert.
func (s *State) anyActive(at place) bool {
	for alert, threads := range s.alerts {
		if alert.workspace == at.workspace && threads[at.name].active() {
			return true
		}
	}

	return false
}

// active tells whether a receiver has heard of the alert, and not that it ended.
func (t *thread) active() bool { return t != nil && t.told && !t.over }
