package oracle

import (
	"fmt"
	"strings"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// alertCommand applies a command about an alert.
func (w *World) alertCommand(workspace string, c *logv1.AlertCommand) {
	key := Key{Workspace: workspace, Account: c.GetAccountId()}
	a, decided := w.accounts[key], w.decided
	if a != nil {
		decided = a.decided
	}
	command := fmt.Sprintf("%q of alert %q", c.GetCommandId(), c.GetAlertId())
	if a == nil {
		command = fmt.Sprintf("%s of %q in %q", command, c.GetAccountId(), workspace)
	}
	if at, ok := decided[command]; ok && w.logTime-at <= remembered {
		return
	}
	v := w.commanded(workspace, a, c)
	e, code := w.refuseAlertCommand(a, v, c)
	if code != "" {
		w.rejects = append(w.rejects, Rejected{
			Workspace: workspace, Account: c.GetAccountId(), MessageID: c.GetCommandId(), Code: code,
		})
		return
	}
	decided[command] = w.logTime
	v.obey(e, c)
	if a != nil {
		a.touched = true
	}
}

// commanded finds the alerts that a command may be about: those of its account, or of the source that has the alert.
func (w *World) commanded(workspace string, a *Account, c *logv1.AlertCommand) *review {
	if a != nil {
		return a.view(w.logTime, w, false)
	}
	for s, b := range w.sourceBooks {
		for _, t := range b.log {
			if c.GetAccountId() == "" && s.Workspace == workspace && t.AlertID == c.GetAlertId() {
				return w.viewSource(s, w.logTime)
			}
		}
	}
	return nil
}

// refuseAlertCommand returns the code for which a command is refused, or nothing.
func (w *World) refuseAlertCommand(a *Account, v *review, c *logv1.AlertCommand) (*bookEntry, string) {
	const longestSleep, longestNote = 90 * day, 4096
	switch {
	case !id(c.GetCommandId()), len(c.GetAuthor()) > longestID, len(c.GetAssign().GetAssignee()) > longestID,
		len(c.GetNote()) > longestNote, c.GetComment() != nil && strings.TrimSpace(c.GetNote()) == "":
		return nil, "invalid_value"
	case c.GetCommand() == nil:
		return nil, "missing_body"
	case c.GetAccountId() != "" && a == nil:
		return nil, "unknown_account"
	case v == nil:
		return nil, "alert_not_open"
	}
	var e *bookEntry
	for _, one := range v.entries {
		if one.open != nil && one.open.id == c.GetAlertId() {
			e = one
		}
	}
	until := c.GetSnooze().GetUntilMicros()
	switch {
	case e == nil:
		return nil, "alert_not_open"
	case c.GetRevision() != 0 && int(c.GetRevision()) != e.open.revision:
		return nil, "alert_changed"
	case c.GetAcknowledge() != nil && e.open.State == acknowledged:
		return nil, "alert_acknowledged"
	case c.GetSnooze() != nil && (until <= w.logTime || until > w.logTime+longestSleep):
		return nil, "alert_snooze"
	}
	return e, ""
}

// obey does what a command says.
func (v *review) obey(e *bookEntry, c *logv1.AlertCommand) {
	kind, o := "commented", e.open
	switch {
	case c.GetAcknowledge() != nil:
		kind = acknowledged
		o.enter(acknowledged, v.at)
		o.TakenBy = c.GetAuthor()
	case c.GetSnooze() != nil:
		kind = snoozed
		o.enter(snoozed, v.at)
		o.Until, o.UntilWorse, o.slept = c.GetSnooze().GetUntilMicros(), c.GetSnooze().GetUntilWorse(), v.look
	case c.GetAssign() != nil:
		kind = "assigned"
		o.Assignee = c.GetAssign().GetAssignee()
	case c.GetResolve() != nil:
		e.barred = true
		v.resolve(e, c.GetAuthor(), c.GetNote(), c.GetCommandId())
		return
	}
	v.tell(e, kind, c.GetAuthor(), c.GetNote(), c.GetCommandId())
}
