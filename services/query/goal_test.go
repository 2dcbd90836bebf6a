package query_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/health"
)

// aim is a goal that acme's last touch is at most so many days ago.
func aim(id string, target float64) *healthv1.Goal {
	return &healthv1.Goal{
		GoalId: id, Title: "talk more", Measure: "days_since_touch", Target: target, AtMost: true, DueDate: ahead(30),
	}
}

func touched(id string) *eventv1.Event {
	return &eventv1.Event{MessageId: id, AccountId: "acme", Body: &eventv1.Event_Interaction{
		Interaction: &eventv1.Interaction{Kind: eventv1.Interaction_KIND_CALL},
	}}
}

func TestGoals(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w, scorer, client := careWorld(t, open(t))
			ctx := w.as(access.RoleAdmin)
			list := func() []*healthv1.Goal {
				got, err := client.ListGoals(w.as(access.RoleViewer), &healthv1.ListGoalsRequest{AccountId: "acme"})
				require.NoError(t, err)

				return got.GetGoals()
			}

			require.Empty(t, list())

			scorer.event(home, recorded(touched("t-1")))
			scorer.pass(10 * 24 * time.Hour)

			set, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: aim("touch", 5), Author: "ann"})
			require.NoError(t, err)

			g := set.GetGoal()
			require.Equal(t, healthv1.Goal_STATE_OPEN, g.GetState())
			require.Equal(t, "talk more", g.GetTitle())
			require.Equal(t, "ann", g.GetAuthor())
			require.InDelta(t, 10, g.GetStartValue(), 0)
			require.InDelta(t, 10, g.GetValue(), 0)
			require.Zero(t, g.GetProgress())
			require.Equal(t, ahead(10), g.GetCreatedDate())
			require.Empty(t, g.GetAchievedDate())

			// A feature, without an id; another goal that will be missed.
			feature := &healthv1.Goal{Feature: "export", DueDate: ahead(20)}
			made, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: feature, CommandId: "f"})
			require.NoError(t, err)
			require.NotEmpty(t, made.GetGoal().GetGoalId())

			again, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: feature, CommandId: "f"})
			require.NoError(t, err)
			require.Equal(t, made.GetGoal().GetGoalId(), again.GetGoal().GetGoalId())
			require.Len(t, list(), 2, "a retry counts once")

			export := used("acme")
			export.MessageId, export.GetUsage().Feature = "x", "export"
			scorer.event(home, recorded(export))

			goals := list() // by due date
			require.Equal(t, "export", goals[0].GetFeature())
			require.Equal(t, healthv1.Goal_STATE_ACHIEVED, goals[0].GetState())
			require.InDelta(t, 100, goals[0].GetProgress(), 0)
			require.Equal(t, ahead(10), goals[0].GetAchievedDate())
			require.Equal(t, "touch", goals[1].GetGoalId())

			scorer.pass(30 * 24 * time.Hour)
			require.Equal(t, healthv1.Goal_STATE_MISSED, list()[1].GetState())

			// Dropped once; a retry is told the same, anybody else that there is none.
			drop := &healthv1.DeleteGoalRequest{AccountId: "acme", GoalId: "touch", CommandId: "d"}
			for range 2 {
				_, err = client.DeleteGoal(ctx, drop)
				require.NoError(t, err)
			}

			for _, id := range []string{"", "another"} {
				drop.CommandId = id
				_, err = client.DeleteGoal(ctx, drop)
				requireError(t, err, codes.NotFound, "GOAL_NOT_FOUND")
			}

			require.Len(t, list(), 1)
		})
	}
}

func TestGoalsOfManyPeople(t *testing.T) {
	t.Parallel()

	w, _, client := careWorld(t, openMemory(t))
	ctx := w.as(access.RoleAdmin)

	const people = health.MaxGoals + 5

	var (
		all         sync.WaitGroup
		taken, full atomic.Int32
	)

	for i := range people {
		all.Go(func() {
			_, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: aim(fmt.Sprint("g-", i), 3)})

			switch status.Code(err) {
			case codes.OK:
				taken.Add(1)
			case codes.FailedPrecondition:
				full.Add(1)
			default:
				t.Errorf("goal %d: %v", i, err)
			}
		})
	}

	all.Wait()
	require.EqualValues(t, health.MaxGoals, taken.Load())
	require.EqualValues(t, people-health.MaxGoals, full.Load())

	_, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: aim("one-more", 3)})
	requireError(t, err, codes.FailedPrecondition, "GOALS_FULL")
}

func TestGoalRefusals(t *testing.T) {
	t.Parallel()

	w, _, client := careWorld(t, openMemory(t))
	ctx := w.as(access.RoleAdmin)

	for want, change := range map[string]func(*healthv1.Goal){
		"goal.goal_id string.pattern":     func(g *healthv1.Goal) { g.GoalId = "Über" },
		"goal goal.aim":                   func(g *healthv1.Goal) { g.Measure = "" },
		"goal.measure measure.unknown":    func(g *healthv1.Goal) { g.Measure = "beauty" },
		"goal.due_date date.calendar":     func(g *healthv1.Goal) { g.DueDate = "" },
		"goal.due_date date.past":         func(g *healthv1.Goal) { g.DueDate = ahead(-1) },
		"goal.target double.gte_lte":      func(g *healthv1.Goal) { g.Target = 1e12 },
		"goal.target target.feature":      func(g *healthv1.Goal) { g.Measure, g.Feature, g.AtMost = "", "export", false },
		"goal.at_most target.feature":     func(g *healthv1.Goal) { g.Measure, g.Feature, g.Target = "", "export", 0 },
		"goal.due_date string.pattern":    func(g *healthv1.Goal) { g.DueDate = "soon" },
		"goal goal.aim, and a second one": func(g *healthv1.Goal) { g.Feature = "export" },
	} {
		g := aim("g", 3)
		change(g)

		_, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: g})
		requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
		require.Contains(t, want, violated(err)[0])
	}

	_, err := client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme"})
	require.Equal(t, []string{"goal"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	// What is wrong in two places is told at once.
	_, err = client.SetGoal(ctx, &healthv1.SetGoalRequest{AccountId: "acme", Goal: &healthv1.Goal{}})
	require.Equal(t, []string{"goal goal.aim", "goal.due_date date.calendar"}, violated(err))

	_, err = client.ListGoals(ctx, &healthv1.ListGoalsRequest{AccountId: "nobody"})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")
	_, err = client.ListGoals(withKey(t.Context(), withOther(w)), &healthv1.ListGoalsRequest{AccountId: "acme"})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")
}
