package dispatch

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
)

const resolved = alertv1.Transition_KIND_RESOLVED

// Load applies a record that stands in the stream.
func (s *State) Load(e delivery.Entry) error {
	if err := s.apply(e.Record); err != nil {
		return err
	}

	s.Written(e.Record, e.Sequence)

	return nil
}

// Written notes under which sequence a record stands in the stream.
func (s *State) Written(r delivery.Record, sequence uint64) {
	if key, replaced := recordKey(r); replaced {
		s.written[key] = sequence
	}
}

// write is how a record is to be written.
func (s *State) write(r delivery.Record) delivery.Write {
	key, _ := recordKey(r)

	return delivery.Write{Record: r, Replaces: s.written[key]}
}

// recordKey names a record that others may take the place of.
func recordKey(r delivery.Record) (key string, replaced bool) {
	switch r := r.(type) {
	case *delivery.Notice:
		return r.Workspace + "." + r.ID, true
	case *delivery.Cursor:
		return "", true
	case *delivery.Period:
		return "period " + r.Workspace + "." + r.Digest, true
	default:
		return "-", false
	}
}

// apply is the fold.
func (s *State) apply(r delivery.Record) error {
	switch r := r.(type) {
	case *delivery.Delivery:
		return s.applyDelivery(r)
	case *delivery.Notice:
		return s.applyNotice(r)
	case *delivery.Period:
		s.periods[place{r.Workspace, r.Digest}] = r.To
	case *delivery.Cursor:
		s.cursor = *r
		maps.DeleteFunc(s.seen, func(_ string, at delivery.Cursor) bool { return s.covers(at) })
	}

	return nil
}

// covers tells whether what stood at a place in ALERTS cannot come again. Of an earlier generation everything can.
func (s *State) covers(at delivery.Cursor) bool {
	return at.Generation == s.cursor.Generation && at.Sequence <= s.cursor.Sequence
}

func seenKey(workspace, receiver, transitionID string) string {
	return workspace + " " + receiver + " " + transitionID
}

func (s *State) applyDelivery(d *delivery.Delivery) error {
	t := &alertv1.Transition{}
	if err := proto.Unmarshal(d.Transition, t); err != nil {
		return fmt.Errorf("reading the delivery of %s to %s: %w", d.TransitionID(), d.Receiver, err)
	}

	if at := (delivery.Cursor{Sequence: d.Sequence, Generation: d.Generation}); !s.covers(at) {
		s.seen[seenKey(d.Workspace, d.Receiver, d.TransitionID())] = at
	}

	at := place{d.Workspace, d.AlertID}
	th := s.alerts[at][d.Receiver]

	if d.Skipped != "" {
		if th != nil {
			th.latest, th.over = t, th.over || d.Kind == resolved
			s.forget(d.Workspace, d.AlertID, d.Receiver)
		}

		return nil
	}

	if th == nil {
		th = &thread{group: d.Group}
		if s.alerts[at] == nil {
			s.alerts[at] = map[string]*thread{}
		}

		s.alerts[at][d.Receiver] = th
	}

	th.latest, th.over, th.waiting = t, th.over || d.Kind == resolved, th.waiting+1
	s.join(d, t)

	return nil
}

// join puts a delivery into its notice.
func (s *State) join(d *delivery.Delivery, t *alertv1.Transition) {
	g := s.lane(d.Workspace, d.Receiver).group(d.Group)

	at := slices.IndexFunc(g.open, func(o *open) bool { return o.id == d.Notice })
	if at < 0 {
		at = len(g.open)
		g.open = append(g.open, &open{id: d.Notice, due: d.Due, since: d.At})
	}

	o := g.open[at]
	if d.Due.Before(o.due) {
		o.due = d.Due
	}

	o.slept, o.critical = o.slept || d.Slept, o.critical || d.Critical
	o.members = append(o.members, &member{
		id: d.TransitionID(), alertID: d.AlertID, revision: d.Revision, transition: t,
	})
}

func (s *State) applyNotice(r *delivery.Notice) error {
	l := s.lane(r.Workspace, r.Receiver)
	g := l.group(r.Group)
	n := g.busy[r.ID]

	if n == nil {
		n = l.dead[r.ID]
	}

	if n == nil {
		n = &notice{}

		if at := slices.IndexFunc(g.open, func(o *open) bool { return o.id == r.ID }); at >= 0 {
			n.members = g.open[at].members
			g.open = slices.Delete(g.open, at, at+1)
		}
	}

	n.record = r

	if r.Digest != nil && n.digest == nil {
		var err error
		if n.digest, err = decodeDigest(r.Digest); err != nil {
			return fmt.Errorf("reading notice %s: %w", r.ID, err)
		}
	}

	if r.Closed.After(g.last) {
		g.last = r.Closed
	}

	delete(g.busy, r.ID)
	delete(l.dead, r.ID)

	switch r.Status {
	case delivery.StatusPending:
		g.busy[r.ID] = n
	case delivery.StatusDead:
		l.dead[r.ID] = n
	case delivery.StatusDelivered, delivery.StatusSkipped:
	}

	if r.Status.Over() {
		s.settle(n)
	}

	return nil
}

// settle tells the threads what became of a notice.
func (s *State) settle(n *notice) {
	tried := map[string]bool{}
	for _, id := range n.record.Members {
		tried[id] = true
	}

	for _, m := range n.members {
		th := s.thread(n.record.Workspace, m.alertID, n.record.Receiver)
		if th == nil {
			continue
		}

		if tried[m.id] && m.transition.GetKind() != resolved {
			th.heard = true
			th.told = th.told || n.record.Status == delivery.StatusDelivered
		}

		if !n.settled {
			th.waiting--
		}

		s.forget(n.record.Workspace, m.alertID, n.record.Receiver)
	}

	n.settled = true
}
