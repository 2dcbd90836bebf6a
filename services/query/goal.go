package query

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
)

// goals are the goals of an account in answers, by due day.
func goals(a *health.Account) []*healthv1.Goal {
	all := a.Goals()
	out := make([]*healthv1.Goal, len(all))

	for i := range all {
		out[i] = goal(&all[i])
	}

	return out
}

// goal is a goal in answers.
func goal(g *health.Goal) *healthv1.Goal {
	numbers := make(floats, 2)
	out := &healthv1.Goal{
		GoalId: g.ID, Title: g.Title, Feature: g.Feature, AtMost: g.AtMost, DueDate: g.Due.String(),
		State: healthv1.Goal_State(g.State), Progress: float(progressOf(g)), Author: g.Author,
		CreatedDate: g.Created.String(),
	}

	if g.Feature == "" {
		out.Measure, out.Target = g.Measure.Name(), float(g.Target)
		out.StartValue, out.Value = numbers.of(g.Start), numbers.of(g.Value)
	}

	if g.State == health.GoalAchieved {
		out.AchievedDate = g.Achieved.String()
	}

	return out
}

// progressOf is how much of the way from start to target is done, in micros of a percent. Without a value, or with a
// start at the target or beyond it, there is none until the goal is reached.
func progressOf(g *health.Goal) int64 {
	switch way := g.Target - g.Start.Micros; {
	case g.State == health.GoalAchieved:
		return wholePercent
	case g.Feature != "" || !g.Start.Known || !g.Value.Known || way == 0 || (way < 0) != g.AtMost:
		return 0
	default:
		done := fixed.MulDiv(g.Value.Micros-g.Start.Micros, wholePercent, way)

		return min(max(done, 0), wholePercent)
	}
}
