package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// at applies facts to an account that stands on their day.
func at(t *testing.T, a *health.Account, set *scorecard.Set, rows *[]health.Row, facts ...fact) {
	t.Helper()
	for _, f := range number(facts) {
		a.Begin(today() - health.Day(f.ago))
		a.Roll(today()-health.Day(f.ago), set, func(r health.Row) { *rows = append(*rows, r) })
		require.Nil(t, a.Apply(f.ev, f.time()))
		a.Evaluate(set)
	}
}

func days(rows []health.Row) []string {
	var s []string
	for _, r := range rows {
		s = append(s, r.Day.String())
	}
	return s
}

func TestRollWritesARowForEachDay(t *testing.T) {
	t.Parallel()
	set := flat(7, "flat")
	var rows []health.Row
	a := health.New()
	at(t, a, set, &rows, on(10, touch(meeting, 0)))
	require.Empty(t, rows)
	a.Roll(today()-10, set, nil)
	a.Roll(today()-20, set, nil)
	a.Roll(today()-7, set, func(r health.Row) { rows = append(rows, again2(t, r)) })
	require.Equal(t, []string{"2026-06-20", "2026-06-21", "2026-06-22"}, days(rows))
	require.Equal(t, health.Row{
		Day: today() - 8, Score: known(2 * one), Band: health.BandCritical, Coverage: 60 * one,
		Stage: health.StageOnboarding, Card: "flat", SetVersion: 7,
		Dimensions: [5]scorecard.Value{4: known(2 * one)},
		Measures:   scorecard.Values{scorecard.DaysSinceTouch: known(2 * one)}, HasMeasures: true,
	}, rows[2])
	require.Equal(t, known(3*one), a.Result().Score, "the new day is evaluated")
	require.Equal(t, today()-7, a.Day())
}

// again2 writes a row and reads it back.
func again2(t *testing.T, r health.Row) health.Row {
	t.Helper()
	rows, err := health.DecodeRows(health.AppendRow(nil, r))
	require.NoError(t, err)
	require.Len(t, rows, 1)
	return rows[0]
}

func TestRollEvaluatesADayThatHasNewEvents(t *testing.T) {
	t.Parallel()
	set := flat(7, "flat")
	var rows []health.Row
	a := health.New()
	at(t, a, set, &rows, on(10, touch(meeting, 0)))
	a.Roll(today(), set, func(health.Row) {})
	apply(t, a, on(4, touch(meeting, 0)))
	require.Equal(t, known(10*one), a.Result().Score)
	a = again(t, a) // that events wait is stored
	a.Roll(today()+1, set, func(r health.Row) { rows = append(rows, r) })
	require.Equal(t, known(4*one), rows[0].Score)
	require.Equal(t, known(5*one), a.Result().Score)
}

func TestBandsGoDayByDay(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	var bands []health.Band
	a := health.New()
	var rows []health.Row
	at(t, a, set, &rows, on(100, touch(meeting, 0)))
	a.Roll(today(), set, func(r health.Row) { bands = append(bands, r.Band) })
	for day, band := range bands { // each edge is crossed 3 points beyond it
		want := health.BandCritical
		switch {
		case day >= 83:
			want = health.BandHealthy
		case day >= 63:
			want = health.BandSteady
		case day >= 43:
			want = health.BandAtRisk
		}
		require.Equal(t, want, band, "day %d", day)
	}
}

func TestChurn(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	var rows []health.Row
	a := health.New()
	at(t, a, set, &rows, on(50, touch(meeting, 0)), on(50, churn("2026-06-01"))) // today is 06-30
	a.Roll(today()-10, set, func(r health.Row) { rows = append(rows, r) })
	require.Equal(t, "2026-05-31", rows[len(rows)-1].Day.String(), "no rows from the churn date on")
	require.Len(t, rows, 21)
	require.Equal(t, health.StageChurned, a.Result().Stage)
	require.Equal(t, known(20*one), a.Result().Score, "the last score before the churn stands")
	require.Equal(t, today()-10, a.Day())
	require.False(t, a.Stale(flat(2, "flat")), "what is not evaluated is not stale")

	t.Run("events while churned are kept", func(t *testing.T) {
		at(t, a, set, &rows, on(9, touch(meeting, 0)))
		require.Equal(t, known(20*one), a.Result().Score)
	})
	t.Run("the last score is explained by its dimensions", func(t *testing.T) {
		x := a.Explain(set)
		require.Equal(t, a.Result(), x.Result)
		require.Equal(t, 20*one, x.Dimensions[0].Contribution)
		require.Zero(t, x.Dimensions[1].Contribution)
		require.False(t, x.Dimensions[0].Measures[0].Value.Known)
		require.Zero(t, a.Explain(flat(2, "flat")).Dimensions[0].Contribution, "not by other scorecards")
	})
	t.Run("coming back is evaluated at once and has rows again", func(t *testing.T) {
		rows = nil
		at(t, a, set, &rows, on(4, cleared("churn_date")))
		require.Empty(t, rows)
		require.Equal(t, known(5*one), a.Result().Score)
		require.Equal(t, health.BandCritical, a.Result().Band)
		a.Roll(today()-2, set, func(r health.Row) { rows = append(rows, r) })
		require.Equal(t, []string{"2026-06-26", "2026-06-27"}, days(rows))
	})
}

func TestAnAccountThatChurnsOnItsFirstDayHasNoScore(t *testing.T) {
	t.Parallel()
	var rows []health.Row
	a := health.New()
	at(t, a, scorecard.Shipped(), &rows, on(50, churn("2026-01-01")), on(3, login("u")))
	require.Empty(t, rows)
	require.Equal(t, health.Result{Band: health.BandUnknown, Stage: health.StageChurned}, a.Result())
	require.Empty(t, a.Explain(scorecard.Shipped()).Dimensions)
}

func TestThousandsOfDaysOfAChurnedAccountPassAtOnce(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(), on(0, churn("2026-01-01")))
	a.Roll(today()+2_000_000, scorecard.Shipped(), func(health.Row) { require.Fail(t, "a row") })
	require.Equal(t, today()+2_000_000, a.Day())
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	t.Parallel()
	set := standard(t, scorecard.Milestone{Feature: "mark", DueDay: 1})
	var rows []health.Row
	a := health.New()
	at(t, a, set, &rows, on(500, usage("gone", "gone")), on(500, usage("", "mark")), on(500, role("boss", "champion")),
		on(500, joined("x", "gone")), on(500, ticket("open", opened)), on(500, ticket("gone", closed)),
		on(500, answered("gone", nps, 9, 0)), on(0, login("u")))
	v := a.Measures(set)
	require.Equal(t, known(100*one), v[scorecard.Milestones])
	require.Equal(t, known(500*one), v[scorecard.ChampionSeen], "roles have no window")
	require.Equal(t, known(2*one), v[scorecard.OpenTickets])
	got := again(t, a).Facts(set)
	c := health.New()
	at(t, c, set, &rows, on(500, usage("", "mark")), on(500, role("boss", "champion")), on(500, ticket("open", opened)), on(0, login("u")))
	want := c.Facts(set)
	require.Equal(t, want.Users, got.Users)
	require.Equal(t, want.Features, got.Features)
	require.Equal(t, want.Tickets, got.Tickets)
	require.Equal(t, want.Surveys, got.Surveys)
	parts, err := health.Parts(again(t, a).Encode(nil, nil))
	require.NoError(t, err)
	require.Empty(t, parts)
}

func TestRows(t *testing.T) {
	t.Parallel()
	rows := []health.Row{
		{Day: -5, Band: health.BandUnknown},
		{
			Day: today(), Score: known(61_234_567), Band: health.BandSteady, Coverage: 83 * one, Stage: health.StageRenewal,
			Card: "standard", SetVersion: 12,
			Dimensions: [5]scorecard.Value{known(1), known(-3), known(99_999_999), {}, known(50_500_000)},
		},
		{Day: today() + 1, Card: "onboarding"},
		{Day: today() + 2, Card: "of our own", Coverage: 12_500_000},
	}
	var b []byte
	for _, r := range rows {
		b = health.AppendRow(b, r)
	}
	got, err := health.DecodeRows(b)
	require.NoError(t, err)
	require.Equal(t, rows, got)
	require.LessOrEqual(t, len(health.AppendRow(nil, rows[1])), 35)
	_, err = health.DecodeRows(b[:len(b)-1])
	require.ErrorIs(t, err, health.ErrCorrupt)
	got, err = health.DecodeRows(nil)
	require.NoError(t, err)
	require.Empty(t, got)
}
