package oracle

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/scorecard"
)

// genChoice draws what a person decides. Its days are relative to log time.
func genChoice(t *rapid.T) *logv1.AccountCommand {
	c := &logv1.AccountCommand{
		CommandId: fmt.Sprintf("c%d", rapid.IntRange(1, 40).Draw(t, "command id")), Author: one(t, "author", "jo", ""),
	}
	goal := one(t, "goal", "g1", "g2", "g3")
	switch one(t, "decision", "goal", "goal", "goal", "override", "override", "clear", "delete", "bad", "nobody") {
	case "goal":
		c.Command = &logv1.AccountCommand_SetGoal{SetGoal: genGoal(t, goal)}
	case "override":
		c.Command = &logv1.AccountCommand_SetOverride{SetOverride: &logv1.SetOverride{
			ScoreMicros: rapid.Int64Range(0, 100_000_000).Draw(t, "score"), Reason: one(t, "reason", "they told me", ""),
			LastDay: one(t, "last day", int32(0), 1, 5, 40),
		}}
	case "clear":
		c.Command = &logv1.AccountCommand_ClearOverride{ClearOverride: &logv1.ClearOverride{}}
	case "delete":
		c.Command = &logv1.AccountCommand_DeleteGoal{DeleteGoal: &logv1.DeleteGoal{GoalId: goal}}
	case "bad":
		genBadChoice(t, c)
	default:
		c.AccountId = "nobody"
		c.Command = &logv1.AccountCommand_ClearOverride{}
	}
	return c
}

func genGoal(t *rapid.T, id string) *logv1.SetGoal {
	g := &logv1.SetGoal{
		GoalId: id, Title: one(t, "title", "grow", ""), DueDay: one(t, "due", int32(3), 0, 30, 90, -1),
		TargetMicros: one(t, "target", int64(2_000_000), 0, 33_333_333, 50_000_000, -10_000_000, 100_000_000),
		AtMost:       rapid.Bool().Draw(t, "at most"),
	}
	if chance(t, "of a feature", 4) {
		g.Feature = one(t, "feature", "f1", MilestoneFeatures()[0], "never")
		return g
	}
	g.Measure = scorecard.Measure(rapid.Uint8Range(0, uint8(scorecard.MeasureCount)-1).Draw(t, "measure")).Name()
	return g
}

// genBadChoice makes something of a command that must be refused.
func genBadChoice(t *rapid.T, c *logv1.AccountCommand) {
	const long = longest + 1
	o, g := &logv1.SetOverride{ScoreMicros: 1}, genGoal(t, "g1")
	switch one(t, "wrong", "nothing", "id", "author", "score", "past", "reason", "measure", "both", "target", "due", "unnamed") {
	case "nothing":
		return
	case "id":
		c.CommandId = one(t, "bad id", "", strings.Repeat("x", longestID+1))
	case "author":
		c.Author = strings.Repeat("x", longestID+1)
	case "score":
		o.ScoreMicros = one(t, "bad score", int64(-1), 100_000_001)
	case "past":
		o.LastDay = -1
	case "reason":
		o.Reason = strings.Repeat("x", long)
	case "measure":
		g.Measure, g.Feature, o = one(t, "bad measure", "", "churn"), "", nil
	case "both":
		g.Measure, g.Feature, o = "nps", "f1", nil
	case "target":
		g.TargetMicros, o = 1<<62, nil
	case "due":
		g.DueDay, o = 1<<30, nil
	default:
		g.GoalId, o = "", nil
	}
	if c.Command = (&logv1.AccountCommand_SetOverride{SetOverride: o}); o == nil {
		c.Command = &logv1.AccountCommand_SetGoal{SetGoal: g}
	}
}

// command makes a record of what a person decides, mostly about an account that there is.
func (s *script) command(to Key, d draft) *logv1.Record {
	c := proto.CloneOf(d.choice)
	if c.GetAccountId() == "" {
		c.AccountId = to.Account
	}
	today := int32(DayOf(s.now)) //nolint:gosec // a day of these years
	if o := c.GetSetOverride(); o != nil {
		o.LastDay += today
	}
	if g := c.GetSetGoal(); g != nil {
		g.DueDay += today
	}
	return &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_AccountCommand{AccountCommand: c}}
}
