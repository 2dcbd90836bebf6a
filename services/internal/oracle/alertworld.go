package oracle

import (
	"cmp"
	"slices"
)

// Alerts returns the transitions of everything, for each subject in order.
func (w *World) Alerts() map[Subject][]Transition {
	all := map[Subject][]Transition{}
	for _, a := range w.accounts {
		if len(a.alerts.log) > 0 {
			all[a.alerts.subject] = a.alerts.log
		}
	}
	for s, b := range w.sourceBooks {
		if len(b.log) > 0 {
			all[s] = b.log
		}
	}
	return all
}

// Open returns the open alerts as of their last transition, ordered by id.
func (w *World) Open() []Transition {
	return w.latest(func(t Transition) bool { return t.Alert.State != resolved })
}

// ended are the alerts that are not open.
func (w *World) ended() []Transition {
	return w.latest(func(t Transition) bool { return t.Alert.State == resolved })
}

// latest are the last transitions of alerts, those that are as wanted.
func (w *World) latest(wanted func(Transition) bool) []Transition {
	var found []Transition
	for _, log := range w.Alerts() {
		last := map[string]Transition{}
		for _, t := range log {
			last[t.AlertID] = t
		}
		for _, t := range last {
			if wanted(t) {
				found = append(found, t)
			}
		}
	}
	slices.SortFunc(found, func(a, b Transition) int { return cmp.Compare(a.AlertID, b.AlertID) })
	return found
}
