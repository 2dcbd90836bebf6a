package fold

import (
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// Codes of refusals of commands, beside those of package health.
const (
	CodeUnknownAccount = "unknown_account"
	CodeUnknownGoal    = "unknown_goal"
)

// commandPrefix tells the id of a command from the message id of an event, which cannot begin so.
const commandPrefix = "\x00command\x00"

// alertPrefix is that of a command about an alert, whose id follows: ids count for the alert.
const alertPrefix = "\x00alert\x00"

// command applies what a person decided about an account. It counts as no event: it takes the account out of no load,
// and only goals need an evaluation.
func (p *Partition) command(m *Message, index int, c *logv1.AccountCommand, accounts Accounts) {
	workspace := m.Records[index].GetWorkspace()
	id := store.Account(workspace, c.GetAccountId())
	f := fingerprintOf(id, commandPrefix+c.GetCommandId())
	if p.dedupe.known(f, p.LogTime) {
		return
	}
	account := accounts.Get(id)
	if refusal := p.examineCommand(c, account); refusal != nil {
		p.refuse(m, index, refusal.Code, refusal.Field, refusal.Message)
		return
	}
	set := p.set(workspace)
	p.bring(id, workspace, account, set)
	p.decide(c, account)
	p.dedupe.seen[f] = p.LogTime
	p.ids = append(p.ids, f)
	t := p.changed.touch(id, account)
	if c.GetSetGoal() != nil {
		p.await(t, m, workspace, set)
	}
}

// decide puts a command that was examined into effect.
func (p *Partition) decide(c *logv1.AccountCommand, a *health.Account) {
	switch decision := c.GetCommand().(type) {
	case *logv1.AccountCommand_SetOverride:
		o := decision.SetOverride
		a.SetOverride(health.Override{
			Score: o.GetScoreMicros(), Author: c.GetAuthor(), Reason: o.GetReason(), SetAt: p.LogTime,
			LastDay: health.Day(o.GetLastDay()),
		})
	case *logv1.AccountCommand_ClearOverride:
		a.ClearOverride()
	case *logv1.AccountCommand_SetGoal:
		g := decision.SetGoal
		measure, _ := scorecard.MeasureByName(g.GetMeasure())
		a.SetGoal(health.Goal{
			ID: g.GetGoalId(), Title: g.GetTitle(), Measure: measure, Feature: g.GetFeature(), Target: g.GetTargetMicros(),
			AtMost: g.GetAtMost(), Due: health.Day(g.GetDueDay()), Created: health.DayOf(p.LogTime), Author: c.GetAuthor(),
		})
	case *logv1.AccountCommand_DeleteGoal:
		a.DeleteGoal(decision.DeleteGoal.GetGoalId())
	}
}

// examineCommand decides whether a command can be put into effect, before anything is changed; nil: it can.
func (p *Partition) examineCommand(c *logv1.AccountCommand, a *health.Account) *health.Refusal {
	if refusal := checkCommand(c, health.DayOf(p.LogTime)); refusal != nil {
		return refusal
	}
	if a == nil {
		return &health.Refusal{Code: CodeUnknownAccount, Field: "account_id", Message: "there is no such account"}
	}
	if g := c.GetSetGoal(); g != nil {
		return a.RoomForGoal(g.GetGoalId())
	}
	if g := c.GetDeleteGoal(); g != nil && !a.HasGoal(g.GetGoalId()) {
		return &health.Refusal{Code: CodeUnknownGoal, Field: "delete_goal.goal_id", Message: "the account has no such goal"}
	}
	return nil
}
