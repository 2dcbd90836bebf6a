package oracle

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/rule"
)

// GenAlerts bound what is generated about alerts.
type GenAlerts struct {
	// Rules are rules documents that may be put in force.
	Rules [][]byte
	// Options are those of the replay by which the generator learns which alerts are open.
	Options Options
}

// alertDraft is a record about alerts before the log is known.
type alertDraft struct {
	doc     int
	source  *logv1.SetSource // its time is relative to log time
	command *logv1.AlertCommand
	which   int    // which of the alerts
	wrong   string // what is wrong with the command
}

// genAlertDraft draws a record about alerts.
func genAlertDraft(t *rapid.T, o *GenAlerts, what string) *alertDraft {
	switch what {
	case "rules":
		return &alertDraft{doc: rapid.IntRange(0, len(o.Rules)-1).Draw(t, "rules")}
	case "source":
		return &alertDraft{source: &logv1.SetSource{
			Source: one(t, "source", append(rule.Sources(), "nowhere")...), Silent: rapid.Bool().Draw(t, "silent"),
			LastEventMicros: one(t, "last event", 0, 0, -hour, -1, -2*day),
		}}
	default:
		d := &alertDraft{
			command: genAlertCommand(t), which: rapid.IntRange(0, 1000).Draw(t, "alert"),
			wrong: one(t, "wrong", "", "", "", "", "", "", "revision", "ended", "account", "id", "content"),
		}
		if d.wrong == "content" {
			spoilAlertCommand(t, d.command)
		}
		return d
	}
}

// genAlertCommand draws what a person decides about an alert. Its times are relative to log time.
func genAlertCommand(t *rapid.T) *logv1.AlertCommand {
	c := &logv1.AlertCommand{
		CommandId: fmt.Sprintf("c%d", rapid.IntRange(1, 200).Draw(t, "command id")), Author: one(t, "author", "jo", "kim", ""),
		Note: one(t, "note", "", "I know"), Revision: one(t, "with revision", uint32(1), 0),
	}
	switch one(t, "decision", "snooze", "acknowledge", "resolve", "snooze", "acknowledge", "assign", "comment") {
	case "acknowledge":
		c.Command = &logv1.AlertCommand_Acknowledge{Acknowledge: &logv1.Acknowledge{}}
	case "snooze":
		c.Command = &logv1.AlertCommand_Snooze{Snooze: &logv1.Snooze{
			UntilMicros: one(t, "until", 90*day, hour, 12*hour, 3*day, 1, 40*day, 0, 90*day+1),
			UntilWorse:  one(t, "until worse", true, true, true, false),
		}}
	case "resolve":
		c.Command = &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}}
	case "assign":
		c.Command = &logv1.AlertCommand_Assign{Assign: &logv1.Assign{Assignee: one(t, "assignee", "kim", "")}}
	default:
		c.Note = "what I heard"
		c.Command = &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}}
	}
	return c
}

// spoilAlertCommand makes something of a command that must be refused.
func spoilAlertCommand(t *rapid.T, c *logv1.AlertCommand) {
	const longestNote = 4096
	switch one(t, "fault", "nothing", "id", "author", "note", "assignee", "comment") {
	case "nothing":
		c.Command = nil
	case "id":
		c.CommandId = one(t, "bad id", "", strings.Repeat("x", longestID+1))
	case "author":
		c.Author = strings.Repeat("x", longestID+1)
	case "note":
		c.Note = strings.Repeat("x", longestNote+1)
	case "assignee":
		c.Command = &logv1.AlertCommand_Assign{Assign: &logv1.Assign{Assignee: strings.Repeat("x", longestID+1)}}
	default:
		c.Note, c.Command = " ", &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}}
	}
}

// alertRecord makes a record about alerts; nil: there is no alert yet that it could be about.
func (s *script) alertRecord(to Key, d draft) *logv1.Record {
	switch d.what {
	case "rules":
		s.rules++
		return &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_SetRules{
			SetRules: &logv1.SetRules{Version: s.rules, Document: s.options.Alerts.Rules[d.alert.doc]},
		}}
	case "source":
		c := proto.CloneOf(d.alert.source)
		c.LastEventMicros += s.now
		return &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_SetSource{SetSource: c}}
	default:
		return s.alertCommand(d.alert)
	}
}

// alertCommand makes a command about one of the alerts that were open before the message.
func (s *script) alertCommand(d *alertDraft) *logv1.Record {
	alerts := s.world.Open()
	if d.wrong == "ended" || len(alerts) == 0 {
		alerts = s.world.ended()
	}
	if len(alerts) == 0 {
		return nil
	}
	to := alerts[d.which%len(alerts)]
	c := proto.CloneOf(d.command)
	c.AccountId, c.AlertId = to.Account, to.AlertID
	if c.GetRevision() != 0 {
		c.Revision = uint32(to.Revision) //nolint:gosec // small
	}
	switch d.wrong {
	case "revision":
		c.Revision = uint32(to.Revision) + 1 //nolint:gosec // small
	case "account":
		c.AccountId = "nobody"
	case "id":
		c.AlertId = "nothing"
	}
	if sleep := c.GetSnooze(); sleep != nil {
		sleep.UntilMicros += s.now
	}
	return &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_AlertCommand{AlertCommand: c}}
}

// nextTimer is the first timer, or the next midnight, behind log time.
func (s *script) nextTimer() int64 {
	first := (s.now/day + 1) * day
	for _, key := range s.world.Accounts() {
		if a := s.world.Account(key.Workspace, key.Account); a.load == "" {
			if at := a.nextTimer(s.world); at > s.now {
				first = min(first, at)
			}
		}
	}
	for _, b := range s.world.sourceBooks {
		if at := b.next(s.world.ruleSet(b.subject.Workspace)); at > s.now {
			first = min(first, at)
		}
	}
	return first
}
