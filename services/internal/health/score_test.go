package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// flat is a scorecard whose score is the number of the latest pulse on a curve from 1:0 to 5:100,
// with weights that leave 40 % to measures without data.
func flat(version uint64, name string) *scorecard.Set {
	return &scorecard.Set{Version: version, Cards: []*scorecard.Card{{
		Name: name,
		Dimensions: []scorecard.Dimension{
			{Name: "relationship", Weight: 60, Measures: []scorecard.Weighted{
				{Measure: scorecard.DaysSinceTouch, Weight: 60, Curve: scorecard.Curve{{X: 0, Y: 0}, {X: 100 * one, Y: 100 * one}}},
			}},
			{Name: "sentiment", Weight: 40, Measures: []scorecard.Weighted{
				{Measure: scorecard.CES, Weight: 15, Curve: scorecard.Curve{{X: one, Y: 0}, {X: 7 * one, Y: 100 * one}}},
				{Measure: scorecard.NPS, Weight: 25, Curve: scorecard.Curve{{X: -100 * one, Y: 0}, {X: 100 * one, Y: 100 * one}}},
			}},
		},
	}}}
}

func TestTheScoreOfAWholeAccount(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(),
		on(100, seats(10)), on(40, usage("a", "f1")), on(3, usage("b", "f2", 2*one)), on(0, login("a")),
		on(10, ticket("t", opened)), on(2, touch(meeting, 4)), on(1, answered("", nps, 9, 0)),
	)
	set := standard(t)
	a.Evaluate(set)
	v := a.Measures(set)
	for m, want := range map[scorecard.Measure]int64{
		scorecard.ActiveUsers: 20 * one, scorecard.FeaturesUsed: one, scorecard.LoginDays: one,
		scorecard.DaysSinceSeen: 0, scorecard.OpenTickets: 2 * one, scorecard.TicketVolume: one,
		scorecard.NPS: 100 * one, scorecard.Pulse: 4 * one, scorecard.DaysSinceTouch: 2 * one,
		scorecard.Stickiness: 3_571_429, // 1 user on 1 of 28 days, of 1 distinct
	} {
		require.Equal(t, scorecard.Value{Micros: want, Known: true}, v[m], m.Name())
	}
	for _, m := range []scorecard.Measure{scorecard.UsageTrend, scorecard.LoginTrend, scorecard.ResolutionHours} {
		require.False(t, v[m].Known, m.Name())
	}
	// Points: active_users 20; features_used 50/3; stickiness 40*3.571429/10; login_days 7.5;
	// days_since_seen 100; open_tickets 90; ticket_volume 94; nps 100; pulse 75; touch 98.666667.
	r := a.Result()
	require.Equal(t, [5]scorecard.Value{
		known((15*20_000_000 + 10*16_666_667 + 5*14_285_716 + 15) / 30),
		known((5*7_500_000 + 5*100_000_000) / 10),
		known((8*90_000_000 + 4*94_000_000 + 6) / 12),
		known(100 * one),
		known((5*75_000_000 + 3*98_666_667 + 4) / 8),
	}, r.Dimensions)
	// 40 x 17.936509 + 15 x 53.75 + 20 x 91.333333 + 15 x 100 + 10 x 83.875
	require.Equal(t, known(56_891_270), r.Score)
	require.Equal(t, 66*one, r.Coverage) // 15+10+5 + 10 + 12 + 6 + 8
	require.Equal(t, health.BandAtRisk, r.Band)
	require.Equal(t, health.StageAdopting, r.Stage)
	require.Equal(t, "standard", r.Card)
}

func known(micros int64) scorecard.Value { return scorecard.Value{Micros: micros, Known: true} }

func TestAnAccountWithoutAnEventIsNotEvaluated(t *testing.T) {
	t.Parallel()
	a := health.New()
	a.Begin(today())
	a.Evaluate(standard(t))
	require.Equal(t, health.Result{Band: health.BandUnknown}, a.Result())
	require.False(t, a.Stale(standard(t)))
	require.True(t, a.Empty())
}

func TestTheAbsenceRule(t *testing.T) {
	t.Parallel()
	t.Run("a connected source has data from the first day", func(t *testing.T) {
		t.Parallel()
		x := apply(t, health.New(), on(6, seats(5))).Explain(standard(t))
		require.Equal(t, known(0), measureOf(t, x, scorecard.ActiveUsers).Value)
		require.Equal(t, known(0), measureOf(t, x, scorecard.FeaturesUsed).Value)
		require.Equal(t, known(0), measureOf(t, x, scorecard.LoginDays).Value)
		require.Equal(t, known(6*one), measureOf(t, x, scorecard.DaysSinceSeen).Value, "never seen: its age")
		require.False(t, measureOf(t, x, scorecard.OpenTickets).Value.Known)
		require.False(t, measureOf(t, x, scorecard.TicketVolume).Value.Known)
		require.Equal(t, 35*one, x.Result.Coverage)
	})
	t.Run("a source that is not connected has data after its first event", func(t *testing.T) {
		t.Parallel()
		set := standard(t)
		card := *set.Cards[0]
		card.Connected = scorecard.SourceTicket
		set.Cards = []*scorecard.Card{&card}
		x := apply(t, health.New(), on(6, seats(5))).Explain(set)
		require.False(t, measureOf(t, x, scorecard.LoginDays).Value.Known)
		require.False(t, measureOf(t, x, scorecard.DaysSinceSeen).Value.Known)
		require.Equal(t, known(0), measureOf(t, x, scorecard.OpenTickets).Value)
		x = apply(t, health.New(), on(200, usage("", "f"))).Explain(set)
		require.Equal(t, known(0), measureOf(t, x, scorecard.LoginDays).Value)
		require.Equal(t, known(0), measureOf(t, x, scorecard.FeaturesUsed).Value)
	})
}

func measureOf(t *testing.T, x health.Explanation, m scorecard.Measure) health.MeasureShare {
	t.Helper()
	for _, d := range x.Dimensions {
		for _, s := range d.Measures {
			if s.Measure == m {
				return s
			}
		}
	}
	require.Fail(t, "not in the scorecard", m.Name())
	return health.MeasureShare{}
}

// touched evaluates an account whose score under flat is the number of days since its touch: the
// days pass one by one, from one score to the next.
func walk(t *testing.T, scores ...int64) []health.Band {
	t.Helper()
	set := flat(1, "flat")
	curve := scorecard.Curve{{X: 0, Y: 0}, {X: one, Y: 0}}
	set.Cards[0].Dimensions[0].Measures[0].Curve = curve
	a := apply(t, health.New(), on(0, touch(meeting, 0)))
	bands := make([]health.Band, 0, len(scores))
	for _, s := range scores {
		curve[0].Y, curve[1].Y = s, s
		a.Evaluate(set)
		a = again(t, a)
		require.Equal(t, s, a.Result().Score.Micros)
		bands = append(bands, a.Result().Band)
	}
	return bands
}

func TestBands(t *testing.T) {
	t.Parallel()
	const (
		critical, risk, steady, healthy = health.BandCritical, health.BandAtRisk, health.BandSteady, health.BandHealthy
	)
	for name, c := range map[string]struct {
		scores []int64
		want   []health.Band
	}{
		"the first is plain":                      {[]int64{40 * one}, []health.Band{risk}},
		"the first just below an edge":            {[]int64{40*one - 1}, []health.Band{critical}},
		"60 is steady, 80 healthy":                {[]int64{60 * one}, []health.Band{steady}},
		"80 is healthy":                           {[]int64{80 * one}, []health.Band{healthy}},
		"85 to 58 is steady":                      {[]int64{85 * one, 58 * one}, []health.Band{healthy, steady}},
		"85 to 57 is at risk":                     {[]int64{85 * one, 57 * one}, []health.Band{healthy, risk}},
		"85 to 77 and a micro stays":              {[]int64{85 * one, 77*one + 1}, []health.Band{healthy, healthy}},
		"85 to 37 is critical":                    {[]int64{85 * one, 37 * one}, []health.Band{healthy, critical}},
		"85 to 38 is at risk":                     {[]int64{85 * one, 38 * one}, []health.Band{healthy, risk}},
		"50 to 62 stays":                          {[]int64{50 * one, 63*one - 1}, []health.Band{risk, risk}},
		"50 to 63 is steady":                      {[]int64{50 * one, 63 * one}, []health.Band{risk, steady}},
		"10 to 82 is steady":                      {[]int64{10 * one, 82 * one}, []health.Band{critical, steady}},
		"10 to 83 is healthy":                     {[]int64{10 * one, 83 * one}, []health.Band{critical, healthy}},
		"a band once kept by hysteresis stays so": {[]int64{85 * one, 78 * one, 82 * one, 77 * one}, []health.Band{healthy, healthy, healthy, steady}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, walk(t, c.scores...))
		})
	}
}

func TestABandStartsAnew(t *testing.T) {
	t.Parallel()
	start := func() *health.Account { // healthy at 85, then 78: kept by hysteresis
		a := apply(t, health.New(), on(85, touch(meeting, 0)))
		a.Evaluate(flat(1, "flat"))
		require.Equal(t, health.BandHealthy, a.Result().Band)
		apply(t, a, on(78, touch(meeting, 0)))
		a.Evaluate(flat(1, "flat"))
		require.Equal(t, health.BandHealthy, a.Result().Band)
		return a
	}
	t.Run("with another version", func(t *testing.T) {
		t.Parallel()
		a := start()
		require.False(t, a.Stale(flat(1, "flat")))
		require.True(t, a.Stale(flat(2, "flat")))
		a.Evaluate(flat(2, "flat"))
		require.Equal(t, health.BandSteady, a.Result().Band)
		require.False(t, a.Stale(flat(2, "flat")))
	})
	t.Run("with another scorecard", func(t *testing.T) {
		t.Parallel()
		a := start()
		a.Evaluate(flat(1, "other"))
		require.Equal(t, health.BandSteady, a.Result().Band)
	})
	t.Run("from unknown", func(t *testing.T) {
		t.Parallel()
		a := start()
		low := flat(1, "flat")
		low.Cards[0].Dimensions[0].Measures[0].Weight = 29
		a.Evaluate(low)
		require.Equal(t, health.BandUnknown, a.Result().Band)
		require.Equal(t, known(78*one), a.Result().Score, "there is a score all the same")
		low.Cards[0].Dimensions[0].Measures[0].Weight = 30
		a.Evaluate(low)
		require.Equal(t, health.BandSteady, a.Result().Band)
	})
}

func TestContributionsAddUp(t *testing.T) {
	t.Parallel()
	t.Run("the missing micro goes to the largest remainder", func(t *testing.T) {
		t.Parallel()
		// relationship 60: 50 points; sentiment 40: ces (7-1)*... 2 answers 4,5 -> 4.5: 58.333333, nps 0: 50.
		a := apply(t, health.New(), on(50, touch(meeting, 0)), on(0, answered("", ces, 4, 0)), on(0, answered("", ces, 5, 0)),
			on(0, answered("", nps, 8, 0)))
		x := a.Explain(flat(1, "flat"))
		require.Equal(t, known(53_125_000), x.Dimensions[1].Score) // (15 x 58.333333 + 25 x 50) / 40 = 53.124999875
		require.Equal(t, known(51_250_000), x.Result.Score)
		require.Equal(t, int64(30_000_000), x.Dimensions[0].Contribution)
		require.Equal(t, int64(8_750_000), x.Dimensions[1].Measures[0].Contribution) // 8.74999995, rounded up
		require.Equal(t, int64(12_500_000), x.Dimensions[1].Measures[1].Contribution)
		require.Equal(t, int64(21_250_000), x.Dimensions[1].Contribution)
	})
	t.Run("whatever the account", func(t *testing.T) {
		t.Parallel()
		set := scorecard.Shipped()
		rapid.Check(t, func(t *rapid.T) {
			a := apply(t, health.New(), someFacts(t)...)
			x := a.Explain(set)
			a.Evaluate(set)
			require.Equal(t, a.Result(), x.Result, "an explanation is the evaluation")
			var sum int64
			for _, d := range x.Dimensions {
				var own int64
				for _, m := range d.Measures {
					own += m.Contribution
					require.Equal(t, m.Value.Known, m.Points.Known)
					if !m.Value.Known {
						require.Zero(t, m.Contribution)
					}
				}
				require.Equal(t, own, d.Contribution)
				sum += own
			}
			require.Equal(t, x.Result.Score.Micros, sum)
			require.LessOrEqual(t, x.Result.Score.Micros, int64(100*fixed.One))
		})
	})
}
