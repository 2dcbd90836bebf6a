package top

import (
	"cmp"
	"slices"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// alerts are those that are open, as the feed and the answers to decisions tell.
type alerts struct {
	open map[string]*alertv1.Alert
	// seen are the newest revisions, those of resolved alerts too: what comes late brings nothing back.
	seen     map[string]uint32
	complete bool
}

func newAlerts() alerts {
	return alerts{open: map[string]*alertv1.Alert{}, seen: map[string]uint32{}}
}

// apply takes a part of the feed in.
func (a *alerts) apply(part *alertv1.WatchAlertsResponse) {
	if part.GetReset_() {
		*a = newAlerts()
	}

	for _, one := range part.GetSnapshot() {
		a.put(one)
	}

	for _, t := range part.GetTransitions() {
		a.put(t.GetAlert())
	}

	a.complete = a.complete || part.GetResumeToken() != ""
}

// put takes an alert as it is, unless a later one is known.
func (a *alerts) put(one *alertv1.Alert) {
	id := one.GetAlertId()
	if id == "" || one.GetRevision() < a.seen[id] {
		return
	}

	a.seen[id] = one.GetRevision()

	if one.GetState() == alertv1.State_STATE_RESOLVED {
		delete(a.open, id)

		return
	}

	a.open[id] = one
}

// list are the alerts that are wanted, the most urgent first.
func (a *alerts) list(wanted func(id string) bool) []*alertv1.Alert {
	list := make([]*alertv1.Alert, 0, len(a.open))

	for id, one := range a.open {
		if wanted(id) {
			list = append(list, one)
		}
	}

	slices.SortFunc(list, func(x, y *alertv1.Alert) int {
		return cmp.Or(
			cmp.Compare(y.GetSeverity(), x.GetSeverity()),
			y.GetFireTime().AsTime().Compare(x.GetFireTime().AsTime()),
			cmp.Compare(x.GetAlertId(), y.GetAlertId()),
		)
	})

	return list
}
