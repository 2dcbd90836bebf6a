package oracle

import (
	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// alertCommand applies a command about an alert.
func (w *World) alertCommand(workspace string, c *logv1.AlertCommand) {
	b, look := w.commanded(workspace, c)
	if b != nil {
		if at, ok := b.commands[c.GetCommandId()]; ok && w.logTime-at <= remembered {
			return
		}
	}
	e, code := w.refuseAlertCommand(b, c)
	if code != "" {
		w.rejects = append(w.rejects, Rejected{
			Workspace: workspace, Account: c.GetAccountId(), MessageID: c.GetCommandId(), Code: code,
		})
		return
	}
	b.commands[c.GetCommandId()] = w.logTime
	b.obey(e, c, w.logTime, look)
	if a := w.accounts[Key{Workspace: workspace, Account: c.GetAccountId()}]; a != nil {
		a.due = true
	} else {
		w.due[b.subject] = true
	}
}

// commanded finds the alerts that a command may be about: those of its account, or of the source that has the alert.
func (w *World) commanded(workspace string, c *logv1.AlertCommand) (*book, sight) {
	if c.GetAccountId() != "" {
		a := w.accounts[Key{Workspace: workspace, Account: c.GetAccountId()}]
		if a == nil {
			return nil, sight{}
		}
		return a.alerts, a.sight()
	}
	for s, b := range w.sourceBooks {
		for _, t := range b.log {
			if s.Workspace == workspace && t.AlertID == c.GetAlertId() {
				return b, sight{}
			}
		}
	}
	return nil, sight{}
}

// refuseAlertCommand returns the code for which a command is refused, or nothing.
func (w *World) refuseAlertCommand(b *book, c *logv1.AlertCommand) (*bookEntry, string) {
	const longestSleep = 90 * day
	switch {
	case !id(c.GetCommandId()), len(c.GetAccountId()) > longestID, len(c.GetAuthor()) > longestID:
		return nil, "invalid_value"
	case c.GetCommand() == nil:
		return nil, "missing_body"
	case b == nil:
		return nil, "alert_not_open"
	}
	var e *bookEntry
	for _, one := range b.entries {
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
func (b *book) obey(e *bookEntry, c *logv1.AlertCommand, at int64, look sight) {
	kind, o := "commented", e.open
	switch {
	case c.GetAcknowledge() != nil:
		kind = acknowledged
		o.enter(acknowledged, at)
		o.TakenBy = c.GetAuthor()
	case c.GetSnooze() != nil:
		kind = snoozed
		o.enter(snoozed, at)
		o.Until, o.UntilWorse, o.slept = c.GetSnooze().GetUntilMicros(), c.GetSnooze().GetUntilWorse(), look
	case c.GetAssign() != nil:
		kind = "assigned"
		o.Assignee = c.GetAssign().GetAssignee()
	case c.GetResolve() != nil:
		e.barred = true
		b.resolve(e, at, c.GetAuthor(), c.GetNote(), c.GetCommandId())
		return
	}
	b.tell(e, at, kind, c.GetAuthor(), c.GetNote(), c.GetCommandId())
}
