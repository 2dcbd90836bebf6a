package query_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

// decider plays the part of the fold that decides about alerts: it fires what the test says, and takes commands out of
// the log as docs/alerts.md has it. Its records come into the stream after the commit, as the fold's do.
type decider struct {
	w *world

	mu      sync.Mutex
	alerts  map[string]*alertv1.Alert
	known   map[string]bool // alerts, and ids of commands about them
	waiting []*logv1.AlertRecord
}

func newDecider(w *world) *decider {
	return &decider{w: w, alerts: map[string]*alertv1.Alert{}, known: map[string]bool{}}
}

// fire makes an alert of an account fire and returns its id.
func (d *decider) fire(workspace, account, rule string, edit ...func(*alertv1.Alert)) string {
	d.w.tb.Helper()

	id, partition := d.begin(workspace, account, rule, edit...)
	require.NoError(d.w.tb, d.flush(d.w.tb.Context(), partition))

	return id
}

// begin is fire without the way into the stream.
func (d *decider) begin(workspace, account, rule string, edit ...func(*alertv1.Alert)) (id string, partition int) {
	now := timestamppb.Now()
	a := &alertv1.Alert{
		AlertId: workspace + "-" + account + "-" + rule, Rule: rule, Severity: alertv1.Severity_SEVERITY_WARNING,
		State: alertv1.State_STATE_FIRING, Summary: rule + " of " + account, AccountId: account, Since: now, FireTime: now,
		StateTime: now, Subject: &alertv1.Subject{Name: account},
	}

	for _, f := range edit {
		f(a)
	}

	if account != "" {
		partition = d.w.log.Layout().Partition(workspace, account)
	}

	d.mu.Lock()
	defer d.mu.Unlock()

	d.record(workspace, partition, a, &alertv1.Transition{Kind: alertv1.Transition_KIND_FIRED, At: now})

	return a.GetAlertId(), partition
}

// record notes a transition of an alert. The lock is held.
func (d *decider) record(workspace string, partition int, a *alertv1.Alert, t *alertv1.Transition) {
	a.Revision++
	t.TransitionId = fmt.Sprintf("%s-%d", a.GetAlertId(), a.GetRevision())
	t.Alert = proto.CloneOf(a)
	d.alerts[a.GetAlertId()] = a
	d.waiting = append(d.waiting, &logv1.AlertRecord{
		Workspace: workspace, Partition: uint32(partition), Transition: t,
	})
}

// take decides about the commands of a message.
func (d *decider) take(ctx context.Context, m *eventlog.Message) error {
	if d == nil {
		return nil
	}

	d.mu.Lock()
	defer d.mu.Unlock()

	for i, r := range m.Records {
		c := r.GetAlertCommand()

		known := c.GetAlertId() + " " + c.GetCommandId()
		if c == nil || d.known[known] {
			continue
		}

		code := d.apply(r.GetWorkspace(), m.Partition, c)
		if code == "" {
			d.known[known] = true

			continue
		}

		body, err := proto.Marshal(r)
		if err != nil {
			return err
		}

		place := reject.Place{Layout: d.w.log.Layout().ID, Partition: m.Partition, Sequence: m.Sequence}
		if err := d.w.rejects.Put(ctx, reject.Reject{
			ID: place.ID(i, m.Hash()), Workspace: r.GetWorkspace(), Code: code, Message: code, Record: body,
		}); err != nil {
			return err
		}
	}

	return nil
}

// apply puts a command into effect, or says why not.
func (d *decider) apply(workspace string, partition int, c *logv1.AlertCommand) string {
	a := d.alerts[c.GetAlertId()]
	now := timestamppb.Now()
	t := &alertv1.Transition{At: now, Author: c.GetAuthor(), Note: c.GetNote(), CommandId: c.GetCommandId()}

	switch {
	case a == nil, a.GetState() == alertv1.State_STATE_RESOLVED:
		return "alert_not_open"
	case c.GetRevision() != 0 && c.GetRevision() != a.GetRevision():
		return "alert_changed"
	}

	switch decision := c.GetCommand().(type) {
	case *logv1.AlertCommand_Acknowledge:
		if a.GetState() == alertv1.State_STATE_ACKNOWLEDGED {
			return "alert_acknowledged"
		}

		t.Kind, a.State, a.AcknowledgedBy = alertv1.Transition_KIND_ACKNOWLEDGED, alertv1.State_STATE_ACKNOWLEDGED, c.GetAuthor()
	case *logv1.AlertCommand_Snooze:
		t.Kind, a.State = alertv1.Transition_KIND_SNOOZED, alertv1.State_STATE_SNOOZED
		a.SnoozeUntil = timestamppb.New(time.UnixMicro(decision.Snooze.GetUntilMicros()))
		a.SnoozeUntilWorse = decision.Snooze.GetUntilWorse()
	case *logv1.AlertCommand_Resolve:
		t.Kind, a.State, a.ResolveTime = alertv1.Transition_KIND_RESOLVED, alertv1.State_STATE_RESOLVED, now
	case *logv1.AlertCommand_Assign:
		t.Kind, a.Assignee = alertv1.Transition_KIND_ASSIGNED, decision.Assign.GetAssignee()
	case *logv1.AlertCommand_Comment:
		t.Kind = alertv1.Transition_KIND_COMMENTED
	}

	d.record(workspace, partition, a, t)

	return ""
}

// flush puts what was decided into the stream.
func (d *decider) flush(ctx context.Context, partition int) error {
	if d == nil {
		return nil
	}

	d.mu.Lock()
	defer d.mu.Unlock()

	var mine, others []*logv1.AlertRecord

	for _, r := range d.waiting {
		if int(r.GetPartition()) == partition {
			mine = append(mine, r)
		} else {
			others = append(others, r)
		}
	}

	d.waiting = others
	if len(mine) == 0 {
		return nil
	}

	_, err := d.w.alerts.Append(ctx, partition, 0, mine)

	return err
}

// alertWorld is a world with a scorer and a decider.
func alertWorld(t *testing.T, options ...option) (*world, *decider, alertv1.AlertServiceClient) {
	t.Helper()

	w := start(t, openMemory(t), options...)
	scorer := w.startScorer()
	scorer.paused.Lock()
	scorer.alerts = newDecider(w)
	scorer.paused.Unlock()

	return w, scorer.alerts, w.alert()
}
