package oracle_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// end is how a day ended as both sides know it.
type end struct {
	Day   oracle.Day
	Score scorecard.Value
	Band  string
}

// requirePast compares what an account knows of its past.
func (e *engine) requirePast(want *oracle.Account, a *health.Account) {
	const recentDays, monthsKept = 31, 37
	var days, gotDays []end
	for _, r := range want.Rows {
		if r.Day >= want.Day-recentDays {
			days = append(days, end{r.Day, scorecard.Value{Micros: r.Evaluation.Score, Known: r.Evaluation.Known}, r.Band})
		}
	}
	for _, d := range a.Recent() {
		gotDays = append(gotDays, end{oracle.Day(d.Day), d.Score, d.Band.String()})
	}
	require.Equal(e.t, days, gotDays, "recent days of %v", want.Key)

	var months []oracle.Month
	for _, m := range a.Months() {
		month := oracle.Month{Day: oracle.Day(m.Month.Last()), Score: m.Score, Band: m.Band.String(), ARR: m.ARR}
		if m.HasRenewal {
			month.Renewal = m.Renewal.String()
		}
		months = append(months, month)
	}
	require.LessOrEqual(e.t, len(want.Months), monthsKept, "logs are shorter")
	require.Equal(e.t, want.Months, months, "months of %v", want.Key)

	since := want.Day
	for _, r := range slices.Backward(want.Rows) {
		if r.Day != since-1 || r.Evaluation.Card != want.Last.Card || r.Evaluation.SetVersion != want.Last.SetVersion {
			break
		}
		since = r.Day
	}
	require.Equal(e.t, since, oracle.Day(a.CardSince()), "scorecard of %v", want.Key)
}

// requireCare compares what people decided, and what else is only kept.
func (e *engine) requireCare(want *oracle.Account, a *health.Account) {
	o, got := want.Override(), a.Override()
	require.Equal(e.t, o == nil, got == nil, "override of %v", want.Key)
	if o != nil {
		require.Equal(e.t, health.Override{
			Score: o.Set.GetScoreMicros(), Author: o.Author, Reason: o.Set.GetReason(), SetAt: o.SetAt,
			LastDay: health.Day(o.Set.GetLastDay()),
		}, *got)
	}
	states := map[string]health.GoalState{
		"new": health.GoalOpen, "open": health.GoalOpen, "achieved": health.GoalAchieved, "missed": health.GoalMissed,
	}
	var goals []health.Goal
	for _, g := range want.Goals() {
		m, _ := scorecard.MeasureByName(g.Set.GetMeasure())
		goals = append(goals, health.Goal{
			ID: g.Set.GetGoalId(), Title: g.Set.GetTitle(), Measure: m, Feature: g.Set.GetFeature(), Target: g.Set.GetTargetMicros(),
			AtMost: g.Set.GetAtMost(), Due: health.Day(g.Set.GetDueDay()), Created: health.Day(g.Created), Author: g.Author,
			Start: g.Start, Value: g.Value, State: states[g.State], Achieved: health.Day(g.Achieved),
		})
	}
	require.Equal(e.t, goals, a.Goals(), "goals of %v", want.Key)
	pulse := a.Facts(scorecard.Shipped()).Pulse
	if i := want.Pulse(); i == nil {
		require.Nil(e.t, pulse)
	} else {
		require.Equal(e.t, []any{i.GetAuthor(), i.GetNote()}, []any{pulse.Author, pulse.Note}, "pulse of %v", want.Key)
	}
}
