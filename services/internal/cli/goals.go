package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

type goalView struct {
	GoalID       string   `json:"goal_id"`
	Title        string   `json:"title"`
	Measure      string   `json:"measure,omitempty"`
	Feature      string   `json:"feature,omitempty"`
	Target       float64  `json:"target"`
	AtMost       bool     `json:"at_most"`
	DueDate      string   `json:"due_date"`
	State        string   `json:"state"`
	StartValue   *float64 `json:"start_value"`
	Value        *float64 `json:"value"`
	Progress     float64  `json:"progress"`
	AchievedDate string   `json:"achieved_date"`
	Author       string   `json:"author"`
	CreatedDate  string   `json:"created_date"`
}

func viewGoal(g *healthv1.Goal) goalView {
	return goalView{
		GoalID: g.GetGoalId(), Title: g.GetTitle(), Measure: g.GetMeasure(), Feature: g.GetFeature(),
		Target: g.GetTarget(), AtMost: g.GetAtMost(), DueDate: g.GetDueDate(),
		State: enumName(g.GetState().String(), "STATE_"), StartValue: g.StartValue, Value: g.Value,
		Progress: g.GetProgress(), AchievedDate: g.GetAchievedDate(), Author: g.GetAuthor(),
		CreatedDate: g.GetCreatedDate(),
	}
}

// aim says what a goal wants: a feature in use, or a measure at a value.
func (g *goalView) aim() string {
	switch {
	case g.Feature != "":
		return g.Feature + " in use"
	case g.AtMost:
		return g.Measure + " <= " + short(g.Target)
	default:
		return g.Measure + " >= " + short(g.Target)
	}
}

// short is a number without digits that say nothing.
func short(f float64) string { return fmt.Sprintf("%.10g", f) }

func drawGoals(goals []goalView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "GOAL"},
			{name: "AIM"},
			{name: "START", right: true},
			{name: "NOW", right: true},
			{name: "PROGRESS", right: true},
			{name: "STATE"},
			{name: "DUE"},
			{name: "AUTHOR"},
			{name: "TITLE"},
		}}

		for i := range goals {
			g := &goals[i]
			t.add(g.GoalID, g.aim(), optional(g.StartValue, 1), optional(g.Value, 1), decimal(g.Progress, 0)+"%",
				g.State, g.DueDate, g.Author, g.Title)
		}

		return t.write(w)
	}
}

func (a *app) goalsCommand() *cobra.Command {
	return parent("goals", "What was agreed with a customer: list, set, delete",
		a.goalsListCommand(), a.goalsSetCommand(), a.goalsDeleteCommand())
}

func (a *app) goalsListCommand() *cobra.Command {
	q := &healthv1.ListGoalsRequest{}

	cmd := &cobra.Command{
		Use: "list ACCOUNT", Short: "List an account's goals by due date", Args: arguments(1, 1, "the account's id"),
		Example: "  hale goals list acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.ListGoals(ctx, q)
				if err != nil {
					return fmt.Errorf("listing the goals of account %q: %w", q.GetAccountId(), err)
				}

				goals := make([]goalView, 0, len(r.GetGoals()))
				for _, g := range r.GetGoals() {
					goals = append(goals, viewGoal(g))
				}

				return many(a.printer(), goals, drawGoals(goals))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

func (a *app) goalsSetCommand() *cobra.Command {
	g := &healthv1.Goal{}
	q := &healthv1.SetGoalRequest{Goal: g}

	cmd := &cobra.Command{
		Use: "set ACCOUNT", Short: "Agree on a goal, or change the one of that id",
		Args: arguments(1, 1, "the account's id"),
		Example: "  hale goals set acme --id seats --measure active_users --target 80 --due 2026-12-31 --title 'all on board'\n" +
			"  hale goals set acme --feature export --due 2026-12-31",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.SetGoal(ctx, q)
				if err != nil {
					return fmt.Errorf("setting a goal of account %q: %w", q.GetAccountId(), err)
				}

				v := viewGoal(r.GetGoal())

				return a.printer().one(v, drawGoals([]goalView{v}))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&g.GoalId, "id", "", "id of the goal: a-z, 0-9, - and _; empty: one is made")
	cmd.Flags().StringVar(&g.Title, "title", "", "what it is about")
	cmd.Flags().StringVar(&g.Measure, "measure", "", "name of the measure that has to reach the target")
	cmd.Flags().StringVar(&g.Feature, "feature", "", "name of the feature that has to be in use")
	cmd.Flags().Float64Var(&g.Target, "target", 0, "the target, in the measure's unit")
	cmd.Flags().BoolVar(&g.AtMost, "at-most", false, "the measure has to fall to the target, not rise to it")
	cmd.Flags().StringVar(&g.DueDate, "due", "", "UTC day by which it is due, YYYY-MM-DD")
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)
	needs(cmd, "due")

	return cmd
}

func (a *app) goalsDeleteCommand() *cobra.Command {
	q := &healthv1.DeleteGoalRequest{}

	cmd := &cobra.Command{
		Use: "delete ACCOUNT GOAL", Short: "Drop a goal",
		Args:    arguments(2, 2, "the ids of the account and the goal"), //nolint:mnd // as it says
		Example: "  hale goals delete acme seats",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId, q.GoalId = args[0], args[1]

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				if _, err := c.DeleteGoal(ctx, q); err != nil {
					return fmt.Errorf("dropping goal %q of account %q: %w", q.GetGoalId(), q.GetAccountId(), err)
				}

				a.sayf("goal %q of account %q is dropped", q.GetGoalId(), q.GetAccountId())

				return nil
			})
		},
	}
	a.flags(cmd, connectFlags()...)
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)

	return cmd
}
