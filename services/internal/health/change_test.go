package health_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// someSet draws scorecards of one card, with any measures in any dimensions, on curves of two bends.
func someSet(t *rapid.T) *scorecard.Set {
	all := make([]scorecard.Measure, scorecard.MeasureCount)
	for m := range all {
		all[m] = scorecard.Measure(m)
	}
	all = rapid.Permutation(all).Draw(t, "measures")[:rapid.IntRange(1, int(scorecard.MeasureCount)).Draw(t, "count")]
	card := &scorecard.Card{
		Name:      rapid.SampledFrom([]string{"standard", "of our own"}).Draw(t, "card"),
		Connected: scorecard.Source(rapid.IntRange(0, 7).Draw(t, "connected")),
	}
	for i, m := range all {
		if i == 0 || len(card.Dimensions) < health.DimensionCount && rapid.Bool().Draw(t, "next") {
			card.Dimensions = append(card.Dimensions, scorecard.Dimension{Name: health.DimensionName(len(card.Dimensions))})
		}
		d := &card.Dimensions[len(card.Dimensions)-1]
		weight := rapid.Int64Range(1, 5).Draw(t, "weight")
		x, y := rapid.Int64Range(-50*one, 50*one).Draw(t, "x"), rapid.Int64Range(0, 100*one)
		d.Weight += weight
		d.Measures = append(d.Measures, scorecard.Weighted{Measure: m, Weight: weight, Curve: scorecard.Curve{
			{X: x, Y: y.Draw(t, "y")}, {X: x + rapid.Int64Range(1, 99*one).Draw(t, "dx"), Y: y.Draw(t, "y2")},
		}})
	}
	return &scorecard.Set{
		Version: rapid.Uint64Range(1, 2).Draw(t, "version"), Cards: []*scorecard.Card{card},
		Milestones: []scorecard.Milestone{{Feature: "g", DueDay: 2}},
	}
}

// evening is the row of an account's day, with what Explain said on that day.
func evening(t *rapid.T, set *scorecard.Set) (health.Row, health.Explanation) {
	a := apply(t, health.New(), append(someFacts(t), on(0, login("u")))...)
	a.Evaluate(set)
	x := a.Explain(set)
	var rows []health.Row
	a.Roll(today()+1, set, func(r health.Row) { rows = append(rows, r) })
	require.Len(t, rows, 1)
	return rows[0], x
}

func TestARowIsExplainedAsItsDayWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := someSet(t)
		r, want := evening(t, set)
		want.Result.Band = r.Band
		got, ok := health.ExplainRow(&r, set)
		require.True(t, ok)
		require.Equal(t, want, got)
	})
}

func TestARowIsNotExplainedByWhatDidNotMakeIt(t *testing.T) {
	t.Parallel()
	r := health.Row{Card: "flat", SetVersion: 7, HasMeasures: true}
	_, ok := health.ExplainRow(&r, flat(7, "flat"))
	require.True(t, ok)
	_, ok = health.ExplainRow(&r, flat(8, "flat"))
	require.False(t, ok, "another version")
	_, ok = health.ExplainRow(&r, flat(7, "other"))
	require.False(t, ok, "no such card")
	r.HasMeasures = false
	_, ok = health.ExplainRow(&r, flat(7, "flat"))
	require.False(t, ok, "no measures")
}

// requireExact checks that a change adds up to the last micro, at every level.
func requireExact(t require.TestingT, c *health.Change, from, to *health.Explanation) {
	sum := c.Scorecard
	for _, d := range c.Dimensions {
		var own int64
		for _, m := range d.Measures {
			own += m.Change
			require.Equal(t, from.Values[m.Measure], m.From)
			require.Equal(t, to.Values[m.Measure], m.To)
		}
		require.Equal(t, own, d.Change, d.Name)
		sum += d.Change
	}
	require.Equal(t, c.Total.Micros, sum)
	if c.Total.Known {
		require.Equal(t, to.Result.Score.Micros-from.Result.Score.Micros, c.Total.Micros)
	}
}

func TestAChangeAddsUpToTheMicro(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := someSet(t)
		after := before
		if rapid.Bool().Draw(t, "other scorecards") {
			after = someSet(t)
			after.Version = before.Version + 1
		}
		r1, _ := evening(t, before)
		r2, _ := evening(t, after)
		from, _ := health.ExplainRow(&r1, before)
		to, _ := health.ExplainRow(&r2, after)
		c := health.Split(&from, &to, before.Cards[0])
		require.Equal(t, r1.Score.Known && r2.Score.Known, c.Total.Known)
		requireExact(t, &c, &from, &to)
		if after == before {
			require.Zero(t, c.Scorecard, "no scorecard changed")
		}
	})
}

func TestNothingChangesWhereNothingHappened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := someSet(t)
		r, _ := evening(t, set)
		x, _ := health.ExplainRow(&r, set)
		other := *set.Cards[0]
		other.Name = "renamed"
		y := x
		y.Result.Card = other.Name
		for _, to := range []*health.Explanation{&x, &y} {
			c := health.Split(&x, to, set.Cards[0])
			require.Zero(t, c.Scorecard)
			for _, d := range c.Dimensions {
				for _, m := range d.Measures {
					require.Zero(t, m.Change, m.Measure.Name())
				}
			}
		}
	})
}

func TestAScorecardThatDropsAMeasureChangesTheScoreItself(t *testing.T) {
	t.Parallel()
	before, after := flat(1, "flat"), flat(2, "flat")
	after.Cards[0].Dimensions = slices.Clone(after.Cards[0].Dimensions)
	after.Cards[0].Dimensions[0].Measures[0].Measure = scorecard.Pulse
	row := func(set *scorecard.Set, touched int64) health.Explanation {
		r := health.Row{
			Card: "flat", SetVersion: set.Version, HasMeasures: true, Score: known(touched * one),
			Measures: scorecard.Values{scorecard.DaysSinceTouch: known(touched * one), scorecard.Pulse: known(3 * one)},
		}
		if set == after {
			r.Score = known(3 * one)
		}
		x, ok := health.ExplainRow(&r, set)
		require.True(t, ok)
		return x
	}
	from, to := row(before, 10), row(after, 30)
	c := health.Split(&from, &to, before.Cards[0])
	requireExact(t, &c, &from, &to)
	require.Equal(t, known(-7*one), c.Total)
	require.Equal(t, -27*one, c.Scorecard, "the later scorecard has no days_since_touch")
	require.Equal(t, health.MeasureChange{
		Measure: scorecard.DaysSinceTouch, Change: 20 * one, From: known(10 * one), To: known(30 * one),
	}, c.Dimensions[0].Measures[0])
	require.Equal(t, health.MeasureChange{
		Measure: scorecard.Pulse, From: known(3 * one), To: known(3 * one),
	}, c.Dimensions[0].Measures[1], "new in the dimension")
}

func TestWithoutAScoreThereIsNoChange(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	row := func(v scorecard.Values, score scorecard.Value) health.Explanation {
		x, ok := health.ExplainRow(&health.Row{Card: "flat", SetVersion: 1, HasMeasures: true, Measures: v, Score: score}, set)
		require.True(t, ok)
		return x
	}
	scored := row(scorecard.Values{scorecard.DaysSinceTouch: known(5 * one)}, known(5*one))
	none := row(scorecard.Values{}, scorecard.Value{})
	for _, c := range []health.Change{
		health.Split(&scored, &none, set.Cards[0]), health.Split(&none, &scored, set.Cards[0]),
	} {
		require.False(t, c.Total.Known)
		require.Zero(t, c.Dimensions[0].Change)
		require.NotEqual(t, c.Dimensions[0].Measures[0].From, c.Dimensions[0].Measures[0].To, "the values are told")
	}
	t.Run("all is the scorecard's where the earlier one finds nothing in the later values", func(t *testing.T) {
		t.Parallel()
		other := flat(2, "flat")
		other.Cards[0].Dimensions[0].Measures[0].Measure = scorecard.Pulse
		x, ok := health.ExplainRow(&health.Row{
			Card: "flat", SetVersion: 2, HasMeasures: true, Score: known(4 * one),
			Measures: scorecard.Values{scorecard.Pulse: known(4 * one)},
		}, other)
		require.True(t, ok)
		c := health.Split(&scored, &x, set.Cards[0])
		require.Equal(t, -one, c.Scorecard)
		requireExact(t, &c, &scored, &x)
	})
}
