package fold

import (
	"fmt"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

const (
	maxText  = 1024
	maxName  = 256
	maxScore = 100 * fixed.One
	// maxTarget bounds targets as measures are, in micros.
	maxTarget = 1_000_000_000_000_000_000
	// maxDay is the last day of the year 9999.
	maxDay = 2_932_896
)

func invalid(field, message string) *health.Refusal {
	return &health.Refusal{Code: health.CodeInvalidValue, Field: field, Message: message}
}

// checkCommand looks for what is wrong with a command whatever account it is about; nil: nothing.
func checkCommand(c *logv1.AccountCommand, today health.Day) *health.Refusal {
	for _, t := range []text{
		{"command_id", c.GetCommandId(), 1, maxName},
		{"account_id", c.GetAccountId(), 1, maxName},
		{"author", c.GetAuthor(), 0, maxName},
	} {
		if refusal := t.check(); refusal != nil {
			return refusal
		}
	}
	switch decision := c.GetCommand().(type) {
	case *logv1.AccountCommand_SetOverride:
		return checkOverride(decision.SetOverride, today)
	case *logv1.AccountCommand_ClearOverride:
		return nil
	case *logv1.AccountCommand_SetGoal:
		return checkGoal(decision.SetGoal)
	case *logv1.AccountCommand_DeleteGoal:
		return text{"delete_goal.goal_id", decision.DeleteGoal.GetGoalId(), 1, maxName}.check()
	}
	return &health.Refusal{Code: health.CodeMissingBody, Message: "has no command this version knows"}
}

// text is a text that has to have a length, in bytes.
type text struct {
	field, value string
	least, most  int
}

func (t text) check() *health.Refusal {
	if len(t.value) < t.least || len(t.value) > t.most {
		return invalid(t.field, fmt.Sprintf("must have %d to %d bytes", t.least, t.most))
	}
	return nil
}

func checkOverride(o *logv1.SetOverride, today health.Day) *health.Refusal {
	switch last := health.Day(o.GetLastDay()); {
	case o.GetScoreMicros() < 0 || o.GetScoreMicros() > maxScore:
		return invalid("set_override.score_micros", "must be 0 to 100,000,000")
	case last < today:
		return invalid("set_override.last_day", "has passed")
	case last > maxDay:
		return invalid("set_override.last_day", "is after the year 9999")
	}
	return text{"set_override.reason", o.GetReason(), 0, maxText}.check()
}

func checkGoal(g *logv1.SetGoal) *health.Refusal {
	for _, t := range []text{
		{"set_goal.goal_id", g.GetGoalId(), 1, maxName},
		{"set_goal.title", g.GetTitle(), 0, maxText},
		{"set_goal.feature", g.GetFeature(), 0, maxText},
	} {
		if refusal := t.check(); refusal != nil {
			return refusal
		}
	}
	_, known := scorecard.MeasureByName(g.GetMeasure())
	switch {
	case g.GetMeasure() == "" && g.GetFeature() == "":
		return invalid("set_goal", "needs a measure or a feature")
	case g.GetMeasure() != "" && g.GetFeature() != "":
		return invalid("set_goal", "is about a measure or a feature, not both")
	case g.GetMeasure() != "" && !known:
		return invalid("set_goal.measure", "is no measure")
	case g.GetTargetMicros() < -maxTarget || g.GetTargetMicros() > maxTarget:
		return invalid("set_goal.target_micros", "must be -10^18 to 10^18")
	case g.GetDueDay() < 0 || g.GetDueDay() > maxDay:
		return invalid("set_goal.due_day", "must be a day of the years 1970 to 9999")
	}
	return nil
}
