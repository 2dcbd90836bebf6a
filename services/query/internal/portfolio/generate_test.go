package portfolio_test

import (
	"fmt"

	"pgregory.net/rapid"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

// subject is a row beside what it was made of, which stands in place of what the row makes of it.
type subject struct {
	*column.Row

	Recent  []health.DayEnd
	Months  []health.MonthEnd
	Surveys []health.SurveyFact
}

// row is the row with its past.
func (s *subject) row() *column.Row {
	s.SetPast(s.Recent, s.Months, s.Surveys)

	return s.Row
}

// generated is a portfolio made up at random, full of ties, gaps and extremes.
type generated struct {
	options portfolio.Options
	rows    []*subject
}

func generate(t *rapid.T) generated {
	today := health.Day(rapid.IntRange(20_000, 20_400).Draw(t, "today"))
	months := rapid.IntRange(1, portfolio.MaxMonths).Draw(t, "months")
	to := health.MonthOf(today) - health.Month(rapid.IntRange(0, portfolio.MaxMonths-months).Draw(t, "back"))
	g := generated{options: portfolio.Options{
		Today: today, From: to - health.Month(months) + 1, To: to,
		Currency:     rapid.SampledFrom([]string{"EUR", "USD", ""}).Draw(t, "currency"),
		MovementDays: rapid.IntRange(1, 30).Draw(t, "movement"),
		RenewalDays:  rapid.IntRange(1, 400).Draw(t, "renewal"),
		Limit:        rapid.IntRange(1, 8).Draw(t, "limit"),
	}}

	for i := range rapid.IntRange(0, 25).Draw(t, "accounts") {
		g.rows = append(g.rows, generateRow(t, fmt.Sprintf("a%02d", i), today))
	}

	return g
}

func maybe(t *rapid.T, percent int) bool { return rapid.IntRange(1, 100).Draw(t, "maybe") <= percent }

// money is an arr: few values, so that they meet, and the largest there is.
func money(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{0, 0, 1, 3, 7_000_000, 12_000_000_000, fixed.Max}).Draw(t, "arr")
}

func number(t *rapid.T, values ...int64) column.Number {
	if maybe(t, 20) {
		return column.None
	}

	return column.Number(rapid.SampledFrom(values).Draw(t, "number") * fixed.One)
}

func dayOr(t *rapid.T, percent int, low, high health.Day) health.Day {
	if !maybe(t, percent) {
		return column.NoDay
	}

	return health.Day(rapid.IntRange(int(low), int(high)).Draw(t, "day"))
}

func band(t *rapid.T) health.Band {
	return health.Band(rapid.IntRange(int(health.BandUnknown), int(health.BandHealthy)).Draw(t, "band"))
}

func generateRow(t *rapid.T, account string, today health.Day) *subject {
	r := &subject{Row: &column.Row{
		Account: account, Name: account + " Ltd",
		Day:      today + health.Day(rapid.SampledFrom([]int{0, 0, 0, -1, 1, -45}).Draw(t, "ahead")),
		Currency: rapid.SampledFrom([]string{"EUR", "EUR", "USD", ""}).Draw(t, "currency"),
		Owner:    rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(t, "owner"),
		Segment:  rapid.SampledFrom([]string{"", "smb", "mid"}).Draw(t, "segment"),
		Stage:    healthv1.Stage(rapid.IntRange(0, 5).Draw(t, "stage")),
		Band:     healthv1.Band(rapid.SampledFrom([]health.Band{5, 5, 5, 4, 3, 2, 1, 0}).Draw(t, "band")),
		Renewal:  dayOr(t, 80, today-40, today+410), Created: dayOr(t, 70, today-1200, today+20),
		First: dayOr(t, 70, today-1200, today), Churn: column.NoDay, LastSeen: column.NoDay,
		Change30: number(t, -11, -10, -9, 0, 5),
	}}
	r.ComputedBand = healthv1.Band(band(t))

	if r.Stage == healthv1.Stage_STAGE_CHURNED {
		r.Churn = health.Day(rapid.IntRange(int(r.Day)-900, int(r.Day)).Draw(t, "churn"))
	}

	if r.ScoreKnown = maybe(t, 85); r.ScoreKnown {
		r.Score = rapid.SampledFrom([]int64{0, 1, 39_999_999, 40e6, 55e6, 60e6, 79_500_000, 80e6, 91_234_567, 100e6}).Draw(t, "score")
	}

	if r.ARRKnown = maybe(t, 80); r.ARRKnown {
		r.ARR = money(t)
	}

	for i := range r.Measures {
		r.Measures[i] = column.None
	}

	r.Measures[scorecard.ActiveUsers] = number(t, 10, 79, 80, 95)
	r.Measures[scorecard.UsageTrend] = number(t, -20, 9, 10, 33)
	r.Measures[scorecard.NPS] = number(t, 49, 50, 100, -20)
	r.Measures[scorecard.CSAT] = number(t, 89, 90, 100)
	r.Measures[scorecard.OpenTickets] = number(t, 0, 9, 10, 40)
	r.Measures[scorecard.DaysSinceSeen] = number(t, 0, 13, 14, 29, 30, 400)
	r.Measures[scorecard.DaysSinceTouch] = number(t, 0, 59, 60)
	generatePast(t, r)

	return r
}

// generatePast fills what the row keeps of past days.
func generatePast(t *rapid.T, r *subject) {
	now, known := health.MonthOf(r.Day), rapid.IntRange(0, health.MonthsKept).Draw(t, "known")

	for m := now - health.Month(known); m < now; m++ {
		if maybe(t, 15) {
			continue
		}

		e := health.MonthEnd{Month: m}
		if maybe(t, 85) {
			e.ARR = scorecard.Value{Micros: money(t), Known: true}
		}

		if e.HasRenewal = maybe(t, 80); e.HasRenewal {
			e.Renewal = m.First() + health.Day(rapid.IntRange(20, 70).Draw(t, "renews"))
		}

		r.Months = append(r.Months, e)
	}

	for d := r.Day - health.RecentDays; d < r.Day; d++ {
		if maybe(t, 70) {
			r.Recent = append(r.Recent, health.DayEnd{Day: d, Band: band(t)})
		}
	}

	for d := r.Day - 179; d <= r.Day; d += health.Day(rapid.IntRange(1, 60).Draw(t, "quiet")) {
		n := func(name string) int64 { return int64(rapid.IntRange(0, 5).Draw(t, name)) }
		s := health.SurveyFact{Day: d, Sent: n("sent"), Answered: n("answered"), Promoters: n("promoters"), Detractors: n("detractors"), CSATGood: n("good"), CES: n("ces")}
		s.NPS, s.CSAT, s.CESSum = s.Promoters+s.Detractors+n("passive"), s.CSATGood+n("bad"), s.CES*3+n("effort")
		r.Surveys = append(r.Surveys, s)
	}
}
