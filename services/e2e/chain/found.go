package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
)

// told is what stands in ALERTS.
type told struct {
	order []*alertv1.Transition
	byID  map[string]*alertv1.Transition
	// duplicated counts records beyond the first of a transition, gaps those that are not the next one of their alert.
	duplicated, gaps int
}

// readAlerts reads the stream from its begin to its end.
func readAlerts(ctx context.Context, log *alertlog.Log, last uint64) (*told, error) {
	t := &told{byID: map[string]*alertv1.Transition{}}
	if last == 0 {
		return t, nil
	}
	err := log.Follow(ctx, alertlog.Place{}, func(e alertlog.Entry) error {
		t.add(e.Record.GetTransition())
		if e.Sequence >= last {
			return errEnd
		}
		return nil
	})
	if !errors.Is(err, errEnd) {
		return nil, fmt.Errorf("reading ALERTS: %w", err)
	}
	t.count()
	return t, nil
}

// count counts the gaps.
func (t *told) count() {
	revisions := map[string]uint32{}
	for _, one := range t.order {
		id := one.GetAlert().GetAlertId()
		if one.GetAlert().GetRevision() != revisions[id]+1 {
			t.gaps++
		}
		revisions[id] = one.GetAlert().GetRevision()
	}
}

func (t *told) add(one *alertv1.Transition) {
	id := one.GetTransitionId()
	if t.byID[id] != nil {
		t.duplicated++
	}
	t.byID[id] = one
	t.order = append(t.order, one)
}

// compare counts the transitions that are not there, that should not be, and that are not what they should be.
func (t *told) compare(want map[string]*alertv1.Transition) (missed, invented, differ int) {
	for id, one := range want {
		switch found := t.byID[id]; {
		case found == nil:
			missed++
		case !proto.Equal(found, one):
			differ++
		}
	}
	for id := range t.byID {
		if want[id] == nil {
			invented++
		}
	}
	return missed, invented, differ
}

// journal is what notify says became of its deliveries.
type journal struct {
	deliveries map[string]*delivery.Delivery
	notices    map[string]*delivery.Notice
}

func readJournal(ctx context.Context, stream *delivery.Stream) (*journal, error) {
	j := &journal{deliveries: map[string]*delivery.Delivery{}, notices: map[string]*delivery.Notice{}}
	err := stream.Load(ctx, func(e delivery.Entry) error {
		switch r := e.Record.(type) {
		case *delivery.Delivery:
			j.deliveries[r.TransitionID()] = r
		case *delivery.Notice:
			j.notices[r.ID] = r
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading NOTIFY: %w", err)
	}
	return j, nil
}

// reason says why a transition was left out; empty: it was not.
func (j *journal) reason(id string) string {
	d := j.deliveries[id]
	if d == nil {
		return ""
	}
	if n := j.notices[d.Notice]; d.Skipped == "" && n != nil {
		return n.Skipped[id]
	}
	return d.Skipped
}

// waiting counts what is not over.
func (j *journal) waiting() int {
	waiting := 0
	for _, d := range j.deliveries {
		if n := j.notices[d.Notice]; d.Skipped == "" && (n == nil || !n.Status.Over()) {
			waiting++
		}
	}
	return waiting
}

// hooked is what the webhook took.
type hooked struct {
	// by is the notification that told of a transition.
	by map[string]string
	// repeated counts notifications beyond the first with an id, changed those of another content, retold transitions that
	// came in two notifications.
	notifications, repeated, changed, retold int
}

// readHook reads what came.
func readHook(got []rig.Received) (*hooked, error) {
	h := &hooked{by: map[string]string{}}
	bodies := map[string]string{}
	for _, one := range got {
		if before, again := bodies[one.ID]; again {
			h.repeated++
			if before != string(one.Body) {
				h.changed++
			}
			continue
		}
		bodies[one.ID] = string(one.Body)
		h.notifications++
		var body struct {
			Transitions []struct {
				ID string `json:"transition_id"`
			} `json:"transitions"`
		}
		if err := json.Unmarshal(one.Body, &body); err != nil {
			return nil, fmt.Errorf("reading webhook %s: %w", one.ID, err)
		}
		for _, t := range body.Transitions {
			if by, again := h.by[t.ID]; again && by != one.ID {
				h.retold++
			}
			h.by[t.ID] = one.ID
		}
	}
	return h, nil
}
