package query

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// SetGoal implements HealthService.
func (h *healthServer) SetGoal(ctx context.Context, req *healthv1.SetGoalRequest) (*healthv1.SetGoalResponse, error) {
	c, err := h.service.command(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())
	if err != nil {
		return nil, err
	}

	set, err := goalOf(req.GetGoal(), c.today())
	if err != nil {
		return nil, err
	}

	if set.GoalId == "" { // the same on a retry
		set.GoalId = "goal-" + hashed(c.id)
	}

	if err := c.churned(); err != nil {
		return nil, err
	}

	if c.before.account.RoomForGoal(set.GetGoalId()) != nil {
		return nil, &Error{
			Code: codes.FailedPrecondition, Reason: reasonGoals, Message: "the account has 20 goals, which is all it may have",
		}
	}

	decided := c.record()
	decided.Command = &logv1.AccountCommand_SetGoal{SetGoal: set}

	if err := c.decide(ctx, decided); err != nil {
		return nil, err
	}

	v, err := c.decided(ctx, func(v *view) bool {
		g := v.goal(set.GetGoalId())

		return g != nil && g.Title == set.GetTitle() && g.Feature == set.GetFeature() &&
			(g.Feature != "" || g.Measure.Name() == set.GetMeasure()) && g.Target == set.GetTargetMicros() &&
			g.AtMost == set.GetAtMost() && g.Due == health.Day(set.GetDueDay())
	})
	if err != nil {
		return nil, err
	}

	g := v.goal(set.GetGoalId())
	if g == nil { // somebody dropped it at once
		return nil, errNoGoal()
	}

	return &healthv1.SetGoalResponse{Goal: goalAnswer(g)}, nil
}

func errNoGoal() *Error {
	return &Error{Code: codes.NotFound, Reason: reasonGoal, Message: "no such goal"}
}

// goal returns a goal of the account; nil: there is none of that id.
func (v *view) goal(id string) *health.Goal {
	goals := v.account.Goals()

	i := slices.IndexFunc(goals, func(g health.Goal) bool { return g.ID == id })
	if i < 0 {
		return nil
	}

	return &goals[i]
}

// goalOf reads the goal of a request.
func goalOf(g *healthv1.Goal, today health.Day) (*logv1.SetGoal, error) {
	var wrong violations

	switch _, known := scorecard.MeasureByName(g.GetMeasure()); {
	case (g.GetMeasure() == "") == (g.GetFeature() == ""):
		wrong.add("goal", "goal.aim", "needs a measure or a feature, and not both")
	case g.GetMeasure() != "" && !known:
		wrong.add("goal.measure", "measure.unknown", "is not the name of a measure")
	case g.GetFeature() != "" && g.GetTarget() != 0:
		wrong.add("goal.target", "target.feature", "is of no use for a feature: it is used or not")
	case g.GetFeature() != "" && g.GetAtMost():
		wrong.add("goal.at_most", "target.feature", "is of no use for a feature: it is used or not")
	}

	target, err := micros(g.GetTarget())
	if err != nil {
		wrong.add("goal.target", "double.finite", "is no number that can be kept")
	}

	due, ok := health.ParseDay(g.GetDueDate())

	switch {
	case !ok:
		wrong.add("goal.due_date", "date.calendar", "is not a day of the calendar")
	case due <= today:
		wrong.add("goal.due_date", "date.past", "must be after today, "+today.String())
	}

	return &logv1.SetGoal{
		GoalId: g.GetGoalId(), Title: g.GetTitle(), Measure: g.GetMeasure(), Feature: g.GetFeature(),
		TargetMicros: target, AtMost: g.GetAtMost(), DueDay: int32(due),
	}, wrong.err()
}

// DeleteGoal implements HealthService. A caller who can try again, because the command has an id, is told by the fold
// whether there was such a goal: the first try may have dropped it.
func (h *healthServer) DeleteGoal(
	ctx context.Context, req *healthv1.DeleteGoalRequest,
) (*healthv1.DeleteGoalResponse, error) {
	c, err := h.service.command(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())
	if err != nil {
		return nil, err
	}

	if req.GetCommandId() == "" && c.before.goal(req.GetGoalId()) == nil {
		return nil, errNoGoal()
	}

	decided := c.record()
	decided.Command = &logv1.AccountCommand_DeleteGoal{DeleteGoal: &logv1.DeleteGoal{GoalId: req.GetGoalId()}}

	if err := c.decide(ctx, decided); err != nil {
		return nil, err
	}

	// That the goal is not there does not show whether it was.
	if _, err := c.decided(ctx, func(*view) bool { return false }); err != nil {
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

	return &healthv1.ListGoalsResponse{Goals: goalAnswers(v.account.Goals())}, nil
}

// goalAnswers are goals in answers.
func goalAnswers(goals []health.Goal) []*healthv1.Goal {
	var all []*healthv1.Goal

	for i := range goals {
		all = append(all, goalAnswer(&goals[i]))
	}

	return all
}

// goalAnswer is a goal in answers.
func goalAnswer(g *health.Goal) *healthv1.Goal {
	var numbers floats

	out := &healthv1.Goal{
		GoalId: g.ID, Title: g.Title, Feature: g.Feature, Target: float(g.Target), AtMost: g.AtMost,
		DueDate: g.Due.String(), State: healthv1.Goal_State(g.State), StartValue: numbers.of(g.Start),
		Value: numbers.of(g.Value), Progress: float(progressOf(g)), Author: g.Author, CreatedDate: g.Created.String(),
	}

	if g.Feature == "" {
		out.Measure = g.Measure.Name()
	}

	if g.State == health.GoalAchieved {
		out.AchievedDate = g.Achieved.String()
	}

	return out
}

// progressOf is how much of the way from start to target is done, percent in micros. A goal that was reached is done,
// wherever the measure went since.
func progressOf(g *health.Goal) int64 {
	const all = 100 * fixed.One

	if g.State == health.GoalAchieved {
		return all
	}

	if g.Feature != "" || !g.Start.Known || !g.Value.Known {
		return 0
	}

	way, done := g.Target-g.Start.Micros, g.Value.Micros-g.Start.Micros
	if g.AtMost {
		way, done = -way, -done
	}

	switch {
	case way <= 0 || done <= 0:
		return 0 // it was there when it was set, and is not any more; or it went the other way
	case done >= way:
		return all
	default:
		return fixed.MulDiv(done, all, way)
	}
}

// violations gathers what is wrong with a request.
type violations []Violation

func (v *violations) add(field, code, message string) {
	*v = append(*v, Violation{Field: field, Code: code, Message: message})
}

// err is the answer; nil: nothing is wrong.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}

	e := invalid(v[0].Field, v[0].Code, v[0].Message)
	e.Violations = v

	return e
}
