package dispatch

import "hale.dev/services/internal/delivery"

// Needed tells whether a record still decides something, however old it is: what a receiver was told of an alert that is
// open, and what waits.
func (s *State) Needed(r delivery.Record) bool {
	switch r := r.(type) {
	case *delivery.Delivery:
		return s.thread(r.Workspace, r.AlertID, r.Receiver) != nil
	case *delivery.Notice:
		if !r.Status.Over() {
			return true
		}

		for _, id := range r.Alerts() {
			if s.thread(r.Workspace, id, r.Receiver) != nil {
				return true
			}
		}

		return false
	default:
		return true
	}
}
