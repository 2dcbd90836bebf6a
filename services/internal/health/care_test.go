package health_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// byHand is an override until some days from today.
func byHand(score int64, ahead int) health.Override {
	return health.Override{
		Score: score, Author: "jo", Reason: "they told me", SetAt: today().Start() + 5, LastDay: today() + health.Day(ahead),
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	measured := func() *health.Account {
		a := apply(t, health.New(), on(10, touch(meeting, 0)))
		a.Evaluate(set)
		return a
	}
	t.Run("stands before the computed score, and changes nothing of it", func(t *testing.T) {
		t.Parallel()
		a, plain := measured(), measured()
		a.SetOverride(byHand(71_500_000, 2))
		want := byHand(71_500_000, 2)
		require.Equal(t, &want, a.Override())
		require.Equal(t, &want, again(t, a).Override())
		score, band := a.Effective()
		require.Equal(t, known(71_500_000), score)
		require.Equal(t, health.BandSteady, band)
		var rows, plainRows []health.Row
		a.Roll(today()+9, set, func(r health.Row) { rows = append(rows, r) })
		plain.Roll(today()+9, set, func(r health.Row) { plainRows = append(plainRows, r) })
		require.Equal(t, plainRows, rows)
		require.Equal(t, plain.Result(), a.Result())
		require.Equal(t, plain.Recent(), a.Recent())
		require.Equal(t, plain.Encode(nil, nil), a.Encode(nil, nil), "nothing is left of it")
	})
	t.Run("ends with its last day", func(t *testing.T) {
		t.Parallel()
		a := measured()
		a.SetOverride(byHand(0, 1))
		a.Roll(today()+1, set, func(health.Row) {})
		require.NotNil(t, a.Override())
		a.Roll(today()+2, set, func(health.Row) {})
		require.Nil(t, a.Override())
		score, band := a.Effective()
		require.Equal(t, a.Result().Score, score)
		require.Equal(t, a.Result().Band, band)
	})
	t.Run("ends with its last day though the account is churned", func(t *testing.T) {
		t.Parallel()
		a := measured()
		require.Nil(t, a.Apply(churn(today().String()), today().Start()))
		a.SetOverride(byHand(0, 1))
		a.Roll(today()+2, set, func(health.Row) {})
		b := measured()
		require.Nil(t, b.Apply(churn(today().String()), today().Start()))
		b.Roll(today()+2, set, func(health.Row) {})
		require.Equal(t, b.Encode(nil, nil), a.Encode(nil, nil))
	})
	t.Run("gives way to another, and to none", func(t *testing.T) {
		t.Parallel()
		a := measured()
		a.ClearOverride()
		a.SetOverride(byHand(1, 1))
		a.SetOverride(byHand(2, 1))
		require.EqualValues(t, 2, a.Override().Score)
		a.ClearOverride()
		require.Nil(t, a.Override())
	})
}

// touched is a goal that days_since_touch falls to a target in micros.
func touched(id string, target int64, due int) health.Goal {
	return health.Goal{
		ID: id, Title: "meet " + id, Author: "jo", Measure: scorecard.DaysSinceTouch, Target: target, AtMost: true,
		Due: today() + health.Day(due), Created: today(),
	}
}

func states(a *health.Account) []string {
	var s []string
	for _, g := range a.Goals() {
		s = append(s, fmt.Sprint(g.ID, g.State))
	}
	return s
}

func TestGoals(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	measured := func() *health.Account {
		a := apply(t, health.New(), on(10, touch(meeting, 0)))
		a.Evaluate(set)
		return a
	}
	t.Run("are open, reached on a day, and stay so", func(t *testing.T) {
		t.Parallel()
		a := measured()
		a.SetGoal(touched("a", 5*one, 9))
		require.Equal(t, health.GoalOpen, a.Goals()[0].State, "before any evaluation")
		require.False(t, a.Goals()[0].Start.Known)
		a = again(t, a)
		a.Evaluate(set)
		a.Roll(today()+2, set, func(health.Row) {})
		want := touched("a", 5*one, 9)
		want.Start, want.Value, want.State = known(10*one), known(12*one), health.GoalOpen
		require.Equal(t, []health.Goal{want}, a.Goals())
		require.Nil(t, a.Apply(touch(meeting, 0), (today()+1).Start()))
		a.Evaluate(set)
		a = again(t, a)
		a.Roll(today()+40, set, func(health.Row) {})
		want.Value, want.State, want.Achieved = known(39*one), health.GoalAchieved, today()+2
		require.Equal(t, []health.Goal{want}, again(t, a).Goals())
	})
	t.Run("are missed when their day has passed, and then for good", func(t *testing.T) {
		t.Parallel()
		a := measured()
		a.SetGoal(touched("a", 5*one, 2))
		a.Evaluate(set)
		a.Roll(today()+2, set, func(health.Row) {})
		require.Equal(t, health.GoalOpen, a.Goals()[0].State, "the day is not over")
		a.Roll(today()+3, set, func(health.Row) {})
		require.Equal(t, health.GoalMissed, a.Goals()[0].State)
		require.Nil(t, a.Apply(touch(meeting, 0), (today()+3).Start()))
		a.Evaluate(set)
		require.Equal(t, health.GoalMissed, a.Goals()[0].State)
	})
	t.Run("rise to a target, and are reached at it", func(t *testing.T) {
		t.Parallel()
		a := measured()
		g := touched("a", 11*one, 5)
		g.AtMost = false
		a.SetGoal(g)
		a.Evaluate(set)
		require.Equal(t, health.GoalOpen, a.Goals()[0].State)
		a.Roll(today()+1, set, func(health.Row) {})
		require.Equal(t, today()+1, a.Goals()[0].Achieved)
	})
	t.Run("of a measure without data wait", func(t *testing.T) {
		t.Parallel()
		a := measured()
		g := touched("a", -100*one, 5)
		g.Measure, g.AtMost = scorecard.NPS, false
		a.SetGoal(g)
		a.Evaluate(set)
		require.Equal(t, health.GoalOpen, a.Goals()[0].State)
		require.False(t, a.Goals()[0].Value.Known)
	})
	t.Run("of a feature are reached when it is in use", func(t *testing.T) {
		t.Parallel()
		a := apply(t, health.New(), on(50, usage("u", "old")), on(29, usage("u", "lately")))
		for _, f := range []string{"old", "lately", "never"} {
			a.SetGoal(health.Goal{ID: f, Feature: f, Due: today() + 5})
		}
		a.Evaluate(set)
		require.Equal(t, []string{"lately2", "never1", "old1"}, states(a))
		require.Equal(t, "old", again(t, a).Goals()[2].Feature)
	})
	t.Run("stand by due day, then id", func(t *testing.T) {
		t.Parallel()
		a := measured()
		for _, g := range []health.Goal{touched("c", 0, 2), touched("b", 0, 2), touched("a", 0, 3), touched("d", 0, 1)} {
			a.SetGoal(g)
		}
		require.Equal(t, []string{"d1", "b1", "c1", "a1"}, states(a))
		a.SetGoal(touched("d", 0, 9))
		require.Equal(t, []string{"b1", "c1", "a1", "d1"}, states(again(t, a)))
		a.DeleteGoal("c")
		a.DeleteGoal("c")
		require.Equal(t, []string{"b1", "a1", "d1"}, states(again(t, a)))
	})
	t.Run("are 20 at most", func(t *testing.T) {
		t.Parallel()
		a := measured()
		for i := range health.MaxGoals {
			require.Nil(t, a.RoomForGoal(fmt.Sprint(i)))
			a.SetGoal(touched(fmt.Sprint(i), 0, 1))
		}
		require.Equal(t, "too_many_goals", a.RoomForGoal("more").Code)
		require.Nil(t, a.RoomForGoal("7"), "a change")
		require.Len(t, again(t, a).Goals(), health.MaxGoals)
		for i := range health.MaxGoals {
			a.DeleteGoal(fmt.Sprint(i))
		}
		require.Empty(t, a.Goals())
		a.Evaluate(set)
		require.Equal(t, measured().Encode(nil, nil), a.Encode(nil, nil))
	})
}

func TestAChangedGoal(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	missed := func() *health.Account {
		a := apply(t, health.New(), on(10, touch(meeting, 0)))
		a.SetGoal(touched("a", 5*one, 1))
		a.Evaluate(set)
		a.Roll(today()+2, set, func(health.Row) {})
		return a
	}
	change := func(a *health.Account, target int64, due int) health.Goal {
		g := touched("a", target, due)
		g.Title, g.Author, g.Created = "another", "al", a.Day()
		a.SetGoal(g)
		a.Evaluate(set)
		require.Len(t, a.Goals(), 1)
		return a.Goals()[0]
	}
	t.Run("that aims at the same goes on, and may be due later", func(t *testing.T) {
		t.Parallel()
		g := change(missed(), 5*one, 9)
		require.Equal(t, "another", g.Title)
		require.Equal(t, known(10*one), g.Start)
		require.Equal(t, today(), g.Created)
		require.Equal(t, "jo", g.Author)
		require.Equal(t, health.GoalOpen, g.State)
	})
	t.Run("that is still due in the past stays missed", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, health.GoalMissed, change(missed(), 5*one, 0).State)
	})
	t.Run("that was reached stays reached", func(t *testing.T) {
		t.Parallel()
		a := apply(t, health.New(), on(1, touch(meeting, 0)))
		a.SetGoal(touched("a", 5*one, 1))
		a.Evaluate(set)
		a.Roll(today()+20, set, func(health.Row) {})
		g := change(a, 5*one, 30)
		require.Equal(t, health.GoalAchieved, g.State)
		require.Equal(t, today(), g.Achieved)
	})
	t.Run("that aims at something else starts anew", func(t *testing.T) {
		t.Parallel()
		g := change(missed(), 6*one, 9)
		require.Equal(t, known(12*one), g.Start)
		require.Equal(t, today()+2, g.Created)
		require.Equal(t, "al", g.Author)
		require.Equal(t, health.GoalOpen, g.State)
		require.Equal(t, health.GoalMissed, change(missed(), 6*one, 0).State, "due in the past")
	})
}
