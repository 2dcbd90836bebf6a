package oracle_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// plainCard is a scorecard of three measures in two dimensions, without silence.
func plainCard(name string) *scorecard.Card {
	return &scorecard.Card{Name: name, Dimensions: []scorecard.Dimension{
		{Name: "adoption", Weight: 60, Measures: []scorecard.Weighted{
			{Measure: scorecard.FeaturesUsed, Weight: 40, Curve: curve(0, 0, 3, 50, 8, 100)},
			{Measure: scorecard.LoginDays, Weight: 20, Curve: curve(0, 0, 7, 100)},
		}},
		{Name: "sentiment", Weight: 40, Measures: []scorecard.Weighted{
			{Measure: scorecard.NPS, Weight: 40, Curve: curve(-100, 0, 100, 100)},
		}},
	}}
}

func plainSet() *scorecard.Set { return &scorecard.Set{Cards: []*scorecard.Card{plainCard("plain")}} }

func curve(xy ...int64) scorecard.Curve {
	var c scorecard.Curve
	for i := 0; i < len(xy); i += 2 {
		c = append(c, scorecard.Point{X: xy[i] * 1_000_000, Y: xy[i+1] * 1_000_000})
	}
	return c
}

func TestPointsLieOnStraightLinesAndAreFlatOutside(t *testing.T) {
	t.Parallel()
	c := curve(-100, 0, 0, 50, 3, 60)
	for value, want := range map[int64]int64{
		math.MinInt64: 0, -100_000_000: 0, -50_000_000: 25_000_000, 0: 50_000_000, 1_000_000: 53_333_333,
		1: 50_000_003, 3_000_000: 60_000_000, math.MaxInt64: 60_000_000, -99_999_999: 1, // 0.5 rounds away
	} {
		require.Equal(t, want, oracle.Points(c, value), "value %d", value)
	}
	falling := curve(1, 100, 5, 60, 14, 0)
	require.Equal(t, int64(90_000_000), oracle.Points(falling, 2_000_000))
	require.Equal(t, int64(53_333_333), oracle.Points(falling, 6_000_000))
}

func TestScoreIsTheMeanOfDimensionsWithData(t *testing.T) {
	t.Parallel()
	f := start().on(1, "a", usage("x")).on(0, "a", login())
	e := oracle.Evaluate(f.events, today, plainSet())
	// Features 1 is 16.666667 points, login days 1 is 14.285714; (40 x + 20 y) / 60 = 15.873016 (exact .0159).
	require.True(t, e.Known)
	require.Equal(t, int64(15_873_016), e.Score)
	require.Equal(t, int64(60_000_000), e.Coverage)
	require.Equal(t, int64(16_666_667), e.Dimensions[0].Measures[0].Points)
	require.Equal(t, int64(14_285_714), e.Dimensions[0].Measures[1].Points)
	require.False(t, e.Dimensions[1].Known)
	// Shares 11111111.33 and 4761904.67: the micro missing goes to the larger remainder.
	require.Equal(t, int64(11_111_111), e.Dimensions[0].Measures[0].Contribution)
	require.Equal(t, int64(4_761_905), e.Dimensions[0].Measures[1].Contribution)

	f.on(0, "b", answer(eventv1.Survey_TYPE_NPS, 8, 0))
	e = oracle.Evaluate(f.events, today, plainSet())
	require.Equal(t, int64(29_523_810), e.Score) // (60 x 15.873016 + 40 x 50) / 100 = 29.5238096
	require.Equal(t, int64(100_000_000), e.Coverage)
}

func TestNoDataIsNoScore(t *testing.T) {
	t.Parallel()
	e := oracle.Evaluate(old().events, today, plainSet())
	require.False(t, e.Known)
	require.Zero(t, e.Score)
	require.Zero(t, e.Coverage)
}

func TestContributionsAddUpToTheScore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := oracle.Evaluate(oracle.GenEvents(t, today, 40), today, plainSet())
		sum := int64(0)
		for _, d := range e.Dimensions {
			inner := int64(0)
			for _, m := range d.Measures {
				require.GreaterOrEqual(t, m.Contribution, int64(0))
				inner += m.Contribution
			}
			require.Equal(t, inner, d.Contribution)
			sum += inner
		}
		require.Equal(t, e.Score, sum)
	})
}

func TestMeasuresAreTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := oracle.GenEvents(t, today, 40)
		shuffled := rapid.Permutation(events).Draw(t, "order")
		require.Equal(t,
			oracle.Measures(events, today, milestones(), 0),
			oracle.Measures(shuffled, today, milestones(), 0))
	})
}

func TestStagesMatchInOrder(t *testing.T) {
	t.Parallel()
	date := func(d oracle.Day) *string { return new(text(d)) }
	born := func(back int64) *facts { return start().on(back, "", usage("x")) }
	change := func(f *facts, a *eventv1.Account) *facts { return f.on(0, "", profile(a)) }
	for _, c := range []struct {
		name  string
		facts *facts
		want  string
	}{
		{"the churn date is reached", change(born(5), &eventv1.Account{ChurnDate: date(today), Stage: new("steady")}), "churned"},
		{"the churn date lies ahead", change(born(5), &eventv1.Account{ChurnDate: date(today + 1)}), "onboarding"},
		{"the profile's own stage", change(born(5), &eventv1.Account{Stage: new("renewal")}), "renewal"},
		{"young", born(59), "onboarding"},
		{"young but done with all milestones", born(59).on(3, "", usage("invite")).on(2, "", usage("report")), "adopting"},
		{"no longer young", born(60), "adopting"},
		{"renewal today", change(born(60), &eventv1.Account{RenewalDate: date(today)}), "renewal"},
		{"renewal in 90 days", change(born(60), &eventv1.Account{RenewalDate: date(today + 90)}), "renewal"},
		{"renewal in 91 days", change(born(60), &eventv1.Account{RenewalDate: date(today + 91)}), "adopting"},
		{"renewal passed", change(born(180), &eventv1.Account{RenewalDate: date(today - 1)}), "steady"},
		{
			"a short term never renews",
			change(born(179), &eventv1.Account{RenewalDate: date(today), TermDays: new(int32(90))}), "adopting",
		},
		{"grown up", born(180), "steady"},
		{"created later than its first event", change(born(200), &eventv1.Account{CreatedDate: date(today - 60)}), "adopting"},
		{"created ahead", change(born(200), &eventv1.Account{CreatedDate: date(today + 60)}), "onboarding"},
		{
			"a cleared field is unset",
			change(change(born(180), &eventv1.Account{ChurnDate: date(today - 9)}), &eventv1.Account{Clear: []string{"churn_date"}}),
			"steady",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := plainSet()
			set.Milestones = milestones()
			require.Equal(t, c.want, oracle.Evaluate(c.facts.events, today, set).Stage)
		})
	}
}
