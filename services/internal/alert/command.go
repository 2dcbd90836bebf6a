package alert

import (
	"fmt"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Codes of refused commands.
const (
	CodeNotOpen      = "alert_not_open"
	CodeChanged      = "alert_changed"
	CodeAcknowledged = "alert_acknowledged"
	CodeSnooze       = "alert_snooze"
)

// maxSnooze is how long an alert can sleep.
const maxSnooze = 90 * day

// Refusal says why a command cannot be put into effect.
type Refusal struct{ Code, Field, Message string }

// Examine decides whether a command about an alert can be put into effect at a time; nil: it can.
func (b *Book) Examine(k Key, c *logv1.AlertCommand, now Time) *Refusal {
	e := b.named(k, c.GetAlertId())
	if e == nil {
		return &Refusal{CodeNotOpen, "alert_id", "there is no open alert of this id"}
	}
	a := e.alert
	if c.GetRevision() != 0 && c.GetRevision() != a.Revision {
		return &Refusal{CodeChanged, "revision", fmt.Sprintf("the alert is of revision %d", a.Revision)}
	}
	switch decision := c.GetCommand().(type) {
	case *logv1.AlertCommand_Acknowledge:
		if a.State == alertv1.State_STATE_ACKNOWLEDGED {
			return &Refusal{CodeAcknowledged, "alert_id", "the alert is acknowledged by " + a.Acknowledged}
		}
	case *logv1.AlertCommand_Snooze:
		if until := decision.Snooze.GetUntilMicros(); until <= now || until > now+maxSnooze {
			return &Refusal{CodeSnooze, "snooze.until_micros", "an alert sleeps for up to 90 days"}
		}
	}
	return nil
}

// named returns the entry with the open alert of that id; nil: there is none.
func (b *Book) named(k Key, id string) *entry {
	for i := range b.entries {
		if e := &b.entries[i]; e.alert != nil && k.ID(e.rule, e.alert.Fired) == id {
			return e
		}
	}
	return nil
}

// Command puts a command that was examined into effect and returns what happened.
func (b *Book) Command(r *Review, c *logv1.AlertCommand) *alertv1.Transition {
	w := work{book: b, review: r}
	e := b.named(r.Key, c.GetAlertId())
	a, author, note, id := e.alert, strings.Clone(c.GetAuthor()), c.GetNote(), c.GetCommandId()
	switch decision := c.GetCommand().(type) {
	case *logv1.AlertCommand_Acknowledge:
		w.enter(a, alertv1.State_STATE_ACKNOWLEDGED)
		a.Acknowledged = author
		w.record(e, alertv1.Transition_KIND_ACKNOWLEDGED, author, note, id)
	case *logv1.AlertCommand_Snooze:
		w.enter(a, alertv1.State_STATE_SNOOZED)
		a.SnoozeUntil, a.UntilWorse = decision.Snooze.GetUntilMicros(), decision.Snooze.GetUntilWorse()
		a.worseBand, a.worseScore = r.Band, r.Score
		w.record(e, alertv1.Transition_KIND_SNOOZED, author, note, id)
	case *logv1.AlertCommand_Resolve:
		e.latched = true
		w.resolve(e, author, note, id)
	case *logv1.AlertCommand_Assign:
		a.Assignee = strings.Clone(decision.Assign.GetAssignee())
		w.record(e, alertv1.Transition_KIND_ASSIGNED, author, note, id)
	case *logv1.AlertCommand_Comment:
		w.record(e, alertv1.Transition_KIND_COMMENTED, author, note, id)
	}
	b.settle(r)
	return w.transitions[0]
}

// enter takes an alert to a state, out of its sleep.
func (w *work) enter(a *Alert, s alertv1.State) {
	a.State, a.StateAt = s, w.review.At
	a.SnoozeUntil, a.UntilWorse, a.worseBand, a.worseScore = 0, false, 0, 0
}
