package query

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

const (
	// maxGoalDays is how far ahead a goal may be due.
	maxGoalDays = 3660
	// goalIDBytes is how long the id of a goal is that gets one here.
	goalIDBytes = 8
)

// SetGoal implements HealthService.
func (h *healthServer) SetGoal(
	ctx context.Context, req *healthv1.SetGoalRequest,
) (*healthv1.SetGoalResponse, error) {
	v, err := h.service.account(ctx, req.GetAccountId(), "")
	if err != nil {
		return nil, err
	}

	set, err := goalCommand(req.GetGoal(), v.account.Day())
	if err != nil {
		return nil, err
	}

	if set.GetGoalId() == "" {
		set.GoalId = strings.ToLower(rand.Text()[:goalIDBytes])
	}

	d := decide(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())

	v, err = h.service.carryOut(ctx, &d, d.record(&logv1.AccountCommand{
		Command: &logv1.AccountCommand_SetGoal{SetGoal: set},
	}))
	if err != nil {
		return nil, err
	}

	for _, g := range v.account.Goals() {
		if g.ID == set.GetGoalId() {
			return &healthv1.SetGoalResponse{Goal: goal(&g)}, nil
		}
	}

	return nil, &Error{
		Code: codes.FailedPrecondition, Reason: reasonGoals,
		Message: fmt.Sprintf("the account has %d goals already, or somebody dropped this one meanwhile", health.MaxGoals),
	}
}

// DeleteGoal implements HealthService.
func (h *healthServer) DeleteGoal(
	ctx context.Context, req *healthv1.DeleteGoalRequest,
) (*healthv1.DeleteGoalResponse, error) {
	v, err := h.service.account(ctx, req.GetAccountId(), "")
	if err != nil {
		return nil, err
	}

	if !v.account.HasGoal(req.GetGoalId()) {
		return nil, &Error{Code: codes.NotFound, Reason: reasonGoal, Message: "the account has no such goal"}
	}

	d := decide(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())

	_, err = h.service.carryOut(ctx, &d, d.record(&logv1.AccountCommand{
		Command: &logv1.AccountCommand_DeleteGoal{DeleteGoal: &logv1.DeleteGoal{GoalId: req.GetGoalId()}},
	}))
	if err != nil {
		return nil, err
	}

	return &healthv1.DeleteGoalResponse{}, nil
}

// ListGoals implements HealthService.
func (h *healthServer) ListGoals(
	ctx context.Context, req *healthv1.ListGoalsRequest,
) (*healthv1.ListGoalsResponse, error) {
	v, err := h.service.account(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	return &healthv1.ListGoalsResponse{Goals: goals(v.account)}, nil
}

// goalCommand checks a goal and makes the command that sets it.
func goalCommand(g *healthv1.Goal, today health.Day) (*logv1.SetGoal, error) {
	_, known := scorecard.MeasureByName(g.GetMeasure())

	switch {
	case (g.GetMeasure() == "") == (g.GetFeature() == ""):
		return nil, invalid("goal.measure", "goal.subject", "a goal is about either a measure or a feature")
	case g.GetFeature() == "" && !known:
		return nil, invalid("goal.measure", "goal.measure", "is no measure")
	case g.GetTitle() == "":
		return nil, invalid("goal.title", "string.min_len", "is needed")
	}

	due, err := ahead("goal.due_date", g.GetDueDate(), today, maxGoalDays)
	if err != nil {
		return nil, err
	}

	return &logv1.SetGoal{
		GoalId: g.GetGoalId(), Title: g.GetTitle(), Measure: g.GetMeasure(), Feature: g.GetFeature(),
		TargetMicros: micros(g.GetTarget()), AtMost: g.GetAtMost(), DueDay: int32(due),
	}, nil
}

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
