package portfolio_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

func date(t *testing.T, text string) health.Day {
	t.Helper()

	d, ok := health.ParseDay(text)
	require.True(t, ok)

	return d
}

// account is a row on 2026-03-20 whose arr was as told at the ends of January and February, and is now; -1: none.
func account(t *testing.T, id string, january, february, now int64, renewal string) *column.Row {
	t.Helper()

	r := &column.Row{
		Account: id, Day: date(t, "2026-03-20"), Currency: "USD", Renewal: column.NoDay, Churn: column.NoDay,
		Created: column.NoDay, First: date(t, "2026-01-05"), Stage: healthv1.Stage_STAGE_STEADY,
		ARR: now * fixed.One, ARRKnown: true,
	}
	if renewal != "" {
		r.Renewal = date(t, renewal)
	}

	if now < 0 {
		r.ARR, r.Stage, r.Churn = february*fixed.One, healthv1.Stage_STAGE_CHURNED, date(t, "2026-03-15")
	}

	var months []health.MonthEnd

	for i, arr := range []int64{january, february} {
		if arr < 0 {
			continue
		}

		e := health.MonthEnd{
			Month: health.MonthOf(date(t, "2026-01-01")) + health.Month(i),
			ARR:   scorecard.Value{Micros: arr * fixed.One, Known: true}, HasRenewal: renewal != "",
		}
		if renewal != "" {
			e.Renewal = date(t, renewal)
		}

		months = append(months, e)
	}

	r.SetPast(nil, months, nil)

	return r
}

// TestRetentionByHand works one small business through. The comments are what a person would write beside it.
func TestRetentionByHand(t *testing.T) {
	t.Parallel()

	march := health.MonthOf(date(t, "2026-03-01"))
	s := portfolio.New(portfolio.Options{
		Today: date(t, "2026-03-20"), From: march - 1, To: march, Currency: "USD", MovementDays: 30, Limit: 10,
	})
	s.Add(
		account(t, "grows", 100, 100, 150, "2026-03-10"),   // renews, and takes 50 more
		account(t, "shrinks", 200, 200, 180, "2026-03-20"), // renews today, with 20 less
		account(t, "leaves", 300, 300, -1, "2026-03-15"),   // does not renew
		account(t, "stays", 400, 400, 400, "2026-03-21"),   // renews tomorrow: not counted yet
		account(t, "new", -1, -1, 70, ""),                  // came in March
		account(t, "free", 0, 0, 0, "2026-03-01"),          // pays nothing, before and after
		account(t, "pays no more", 500, 50, 0, ""),         // still there, without arr: a lost customer
		func() *column.Row { // another currency: a customer, but no arr
			r := account(t, "euro", 1000, 1000, -1, "2026-03-02")
			r.Currency = "EUR"

			return r
		}(),
	)

	got := s.Figures().GetMonths()
	require.Len(t, got, 2)

	february := got[0]
	require.Equal(t, "2026-02", february.GetMonth())
	require.InDelta(t, 100+200+300+400+500, february.GetOpeningArr(), 0)
	require.InDelta(t, 450, february.GetContractionArr(), 0)
	require.InDelta(t, 70, february.GetNetRetention(), 0) // 1050 of 1500
	require.Nil(t, february.NetRenewalRate, "nothing came to its renewal")
	require.NotNil(t, february.LogoChurn)
	require.Zero(t, february.GetLogoChurn())

	m := got[1]
	require.Equal(t, "2026-03", m.GetMonth())
	require.InDelta(t, 100+200+300+400+50, m.GetOpeningArr(), 0)
	require.InDelta(t, 50, m.GetExpansionArr(), 0)
	require.InDelta(t, 20, m.GetContractionArr(), 0)
	require.InDelta(t, 300+50, m.GetChurnedArr(), 0)
	require.InDelta(t, 70, m.GetNewArr(), 0)
	require.InDelta(t, 64.761905, m.GetGrossRetention(), 0) // (1050 - 20 - 350) / 1050
	require.InDelta(t, 69.523810, m.GetNetRetention(), 0)   // (1050 + 50 - 20 - 350) / 1050
	require.InDelta(t, 100+200+300, m.GetRenewableArr(), 0) // of 1050 only what came to its renewal
	require.InDelta(t, 150+180, m.GetRenewedArr(), 0)
	require.InDelta(t, 55, m.GetNetRenewalRate(), 0)  // 330 / 600
	require.EqualValues(t, 6, m.GetAccounts())        // customers whatever the currency: euro is one
	require.EqualValues(t, 3, m.GetChurnedAccounts()) // leaves, pays no more, euro
	require.InDelta(t, 50, m.GetLogoChurn(), 0)       // 3 / 6
	require.InDelta(t, 150+180+400+70, s.Figures().GetTotal().GetArr(), 0)
}

func TestCohortByHand(t *testing.T) {
	t.Parallel()

	january := health.MonthOf(date(t, "2026-01-01"))
	s := portfolio.New(portfolio.Options{
		Today: date(t, "2026-03-20"), From: january, To: january + 2, Currency: "USD", MovementDays: 30, Limit: 10,
	})
	trial := account(t, "trial", 0, 60, 60, "") // pays from February on: counts with its first arr before
	late := account(t, "late", -1, -1, 40, "")  // Hale heard of it in March only
	late.Created = date(t, "2026-01-31")
	s.Add(account(t, "a", 100, 120, 90, ""), account(t, "b", 200, 200, -1, ""), trial, late)

	got := s.Figures().GetCohorts()
	require.Len(t, got, 1)
	require.Equal(t, "2026-01", got[0].GetMonth())
	require.EqualValues(t, 4, got[0].GetAccounts())
	require.InDelta(t, 400, got[0].GetOpeningArr(), 0) // 100 + 200 + 60 + 40
	require.Equal(t, []float64{100, 105, 47.5}, got[0].GetNetRetention())
	require.Equal(t, []float64{100, 100, 75}, got[0].GetLogoRetention())
}

func TestRenewalsThatPassedAreOverdue(t *testing.T) {
	t.Parallel()

	march := health.MonthOf(date(t, "2026-03-01"))
	s := portfolio.New(portfolio.Options{
		Today: date(t, "2026-03-20"), From: march, To: march, Currency: "USD", MovementDays: 30, RenewalDays: 30, Limit: 3,
	})
	s.Add(
		account(t, "today", 1, 1, 1, "2026-03-20"),
		account(t, "a year ago", 9, 9, 9, "2025-03-20"), // a fourth: the limit is three
		account(t, "yesterday", 2, 2, 2, "2026-03-19"),
		account(t, "yesterday, and larger", 3, 3, 3, "2026-03-19"),
		account(t, "left", 4, 4, -1, "2026-03-19"),
		account(t, "last month", 5, 5, 5, "2026-02-20"),
		account(t, "never", 6, 6, 6, ""),
	)

	got := s.Figures()
	require.Len(t, got.GetRenewals(), 1)
	require.Equal(t, "today", got.GetRenewals()[0].GetAccountId())
	require.False(t, got.GetRenewals()[0].GetOverdue())

	var ids []string

	for _, r := range got.GetOverdueRenewals() {
		ids = append(ids, r.GetAccountId())
		require.True(t, r.GetOverdue())
	}

	require.Equal(t, []string{"yesterday, and larger", "yesterday", "last month"}, ids)
	require.InDelta(t, 3, got.GetOverdueRenewals()[0].GetArr(), 0)
}

func TestLikelihood(t *testing.T) {
	t.Parallel()

	known := func(set func(r *column.Row)) *column.Row {
		r := &column.Row{Score: 80 * fixed.One, ScoreKnown: true, Band: healthv1.Band_BAND_HEALTHY, Change30: column.None}
		for i := range r.Measures {
			r.Measures[i] = column.None
		}

		set(r)

		return r
	}

	for name, c := range map[string]struct {
		want float64
		set  func(r *column.Row)
	}{
		"a good score":                   {92, func(*column.Row) {}},
		"a score between two points":     {60, func(r *column.Row) { r.Score = 50 * fixed.One }},
		"a score that rests on little":   {50, func(r *column.Row) { r.Band = healthv1.Band_BAND_UNKNOWN }},
		"not seen for two weeks":         {82, func(r *column.Row) { r.Measures[scorecard.DaysSinceSeen] = 14e6 }},
		"not seen for a month":           {72, func(r *column.Row) { r.Measures[scorecard.DaysSinceSeen] = 30e6 }},
		"an urgent ticket":               {82, func(r *column.Row) { r.Measures[scorecard.OpenTickets] = 10e6 }},
		"no talk for two months":         {87, func(r *column.Row) { r.Measures[scorecard.DaysSinceTouch] = 60e6 }},
		"a fall of ten points":           {82, func(r *column.Row) { r.Change30 = -10e6 }},
		"never certain that it does":     {98, func(r *column.Row) { r.Score = 100 * fixed.One }},
		"never certain that it does not": {1, func(r *column.Row) { r.Score = 0; r.Measures[scorecard.DaysSinceSeen] = 99e6 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.InDelta(t, c.want, fixed.Float(portfolio.Likelihood(known(c.set))), 0)
		})
	}
}

func TestReasonsAreToldInWords(t *testing.T) {
	t.Parallel()

	r := &column.Row{
		Account: "a", Name: "Acme", Score: 91_500_000, ScoreKnown: true, Band: healthv1.Band_BAND_HEALTHY,
		Stage: healthv1.Stage_STAGE_STEADY, Currency: "EUR", ARR: 5e6, ARRKnown: true, Renewal: column.NoDay,
		Created: column.NoDay, First: column.NoDay,
	}
	for i := range r.Measures {
		r.Measures[i] = column.None
	}

	r.Measures[scorecard.ActiveUsers], r.Measures[scorecard.UsageTrend] = 92_400_000, 14_500_000
	r.Measures[scorecard.NPS], r.Measures[scorecard.CSAT] = 72e6, 95e6

	s := portfolio.New(portfolio.Options{Currency: "USD", Limit: 1})
	s.Add(r)

	got := s.Figures()
	require.Equal(t, []string{
		"92 % of the seats were active in 28 days", "a week's usage is 15 % above that of the four weeks before",
		"healthy, score 92",
	}, got.GetExpansions()[0].GetReasons())
	require.Equal(t, []string{"healthy, score 92", "NPS 72", "CSAT 95 %", "no urgent ticket is open"},
		got.GetReferences()[0].GetReasons())
	require.Equal(t, "Acme", got.GetReferences()[0].GetName())
	require.Nil(t, got.GetReferences()[0].Arr, "another currency")
}
