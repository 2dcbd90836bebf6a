package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// feed applies events to a fresh account of the engine, which is rolled to today.
func feed(t *rapid.T, events []oracle.Timed, set *scorecard.Set) *health.Account {
	a := health.New()
	a.Begin(health.Day(today))
	for _, e := range events {
		require.Nil(t, a.Apply(e.Event, e.Time))
	}
	a.Evaluate(set)
	return a
}

// dimensions turns the engine's explanation into the oracle's words.
func dimensions(x health.Explanation) []oracle.Dimension {
	var all []oracle.Dimension
	for _, d := range x.Dimensions {
		to := oracle.Dimension{
			Name: d.Name, Weight: d.Weight, Score: d.Score.Micros, Known: d.Score.Known, Contribution: d.Contribution,
		}
		for _, m := range d.Measures {
			to.Measures = append(to.Measures, oracle.Measure{
				Measure: m.Measure, Weight: m.Weight, Value: m.Value, Points: m.Points.Micros, Contribution: m.Contribution,
			})
		}
		all = append(all, to)
	}
	return all
}

// requireEvaluation compares an evaluation of the oracle with one of the engine, to the last micro.
func requireEvaluation(t require.TestingT, want oracle.Evaluation, x health.Explanation) {
	got := oracle.Evaluation{
		Stage: x.Result.Stage.String(), Card: x.Result.Card, SetVersion: x.Result.SetVersion,
		Score: x.Result.Score.Micros, Known: x.Result.Score.Known, Coverage: x.Result.Coverage,
		Measures: want.Measures, Dimensions: dimensions(x),
	}
	require.Equal(t, want, got)
}

func TestTheEngineMeasuresLikeTheOracle(t *testing.T) {
	t.Parallel()
	sets := documents(t)
	rapid.Check(t, func(t *rapid.T) {
		events := oracle.GenEvents(t, today, 60)
		set := rapid.SampledFrom(sets).Draw(t, "set")
		order := rapid.Permutation(events).Draw(t, "order")
		t.Log(describe(order))
		a := feed(t, order, set)
		require.Equal(t, oracle.Measures(events, today, set.Milestones, 0), a.Measures(set))
		if want := oracle.Evaluate(events, today, set); want.Stage != "churned" {
			requireEvaluation(t, want, a.Explain(set))
		}
	})
}

func TestTheEngineMeasuresLikeTheOracleOnEachDay(t *testing.T) {
	t.Parallel()
	sets := documents(t)
	rapid.Check(t, func(t *rapid.T) {
		events := oracle.GenEvents(t, today, 40)
		set := rapid.SampledFrom(sets).Draw(t, "set")
		t.Log(describe(events))
		a := feed(t, events, set)
		for _, days := range rapid.SliceOfN(rapid.Int32Range(1, 60), 1, 6).Draw(t, "days") {
			a.Roll(a.Day()+health.Day(days), set, func(health.Row) {})
			want := oracle.Evaluate(events, oracle.Day(a.Day()), set)
			require.Equal(t, want.Stage, a.Result().Stage.String())
			if want.Stage != "churned" {
				require.Equal(t, oracle.Measures(events, oracle.Day(a.Day()), set.Milestones, 0), a.Measures(set))
				requireEvaluation(t, want, a.Explain(set))
			}
		}
	})
}
