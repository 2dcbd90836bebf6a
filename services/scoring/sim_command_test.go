package scoring

import (
	"fmt"
	"math/rand/v2"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// command is what a person decides about an account, sometimes again under the id of what was decided before.
func (c *simClient) command(to simAccount, r *rand.Rand) *logv1.Record {
	c.number++
	id := c.number
	if r.IntN(5) == 0 {
		id -= r.IntN(40)
	}
	command := &logv1.AccountCommand{CommandId: fmt.Sprintf("c%d", id), AccountId: to.account, Author: "jo"}
	today := int32(health.DayOf(c.sim.wall().UnixMicro()))
	goal := fmt.Sprintf("g%d", r.IntN(3))
	switch r.IntN(8) {
	case 0, 1, 2:
		command.Command = &logv1.AccountCommand_SetOverride{SetOverride: &logv1.SetOverride{
			ScoreMicros: r.Int64N(101_000_000), LastDay: today + r.Int32N(4) - 1, // some are too high, some have passed
		}}
	case 3:
		command.Command = &logv1.AccountCommand_ClearOverride{}
	case 4:
		command.Command = &logv1.AccountCommand_DeleteGoal{DeleteGoal: &logv1.DeleteGoal{GoalId: goal}}
	default:
		command.Command = &logv1.AccountCommand_SetGoal{SetGoal: &logv1.SetGoal{
			GoalId: goal, Measure: scorecard.Measure(r.IntN(int(scorecard.MeasureCount))).Name(),
			TargetMicros: r.Int64N(100_000_000), AtMost: r.IntN(2) == 0, DueDay: today + r.Int32N(20),
		}}
	}
	return &logv1.Record{Workspace: to.workspace, Payload: &logv1.Record_AccountCommand{AccountCommand: command}}
}
