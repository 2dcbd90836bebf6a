package portfolio

import (
	"cmp"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// due says whether the contract of an account comes to its renewal in the days ahead.
func due(r *column.Row, o *Options) bool {
	return r.Renewal >= o.Today && r.Renewal <= o.Today+health.Day(o.RenewalDays) //nolint:gosec // few
}

// overdue says whether the day of the renewal has passed. Nobody knows whether the contract was renewed: the customer is
// still there, and the profile was not brought up to date.
func overdue(r *column.Row, o *Options) bool {
	return r.Renewal != column.NoDay && r.Renewal < o.Today
}

// compareRenewals puts the nearest first, then the larger arr.
func compareRenewals(currency string) func(a, b *column.Row) int {
	return func(a, b *column.Row) int {
		return cmp.Or(cmp.Compare(a.Renewal, b.Renewal), compareARR(a, b, currency), strings.Compare(a.Account, b.Account))
	}
}

// compareOverdue puts the one that passed last first, then the larger arr.
func compareOverdue(currency string) func(a, b *column.Row) int {
	return func(a, b *column.Row) int {
		return cmp.Or(cmp.Compare(b.Renewal, a.Renewal), compareARR(a, b, currency), strings.Compare(a.Account, b.Account))
	}
}

// compareARR puts the larger arr first, and accounts without one in the currency last.
func compareARR(a, b *column.Row, currency string) int {
	return cmp.Compare(rank(b, currency), rank(a, currency))
}

// rank is the arr in the currency; -1: none.
func rank(r *column.Row, currency string) int64 {
	if !r.ARRKnown || r.Currency != currency {
		return -1
	}

	return r.ARR
}

// arrFigure is the arr in the currency, in units; nil: none.
func arrFigure(r *column.Row, currency string) *float64 {
	micros := rank(r, currency)
	if micros < 0 {
		return nil
	}

	f := fixed.Float(micros)

	return &f
}

func renewalFigures(rows []*column.Row, o *Options) []*healthv1.Renewal {
	out := make([]*healthv1.Renewal, len(rows))

	for i, r := range rows {
		out[i] = &healthv1.Renewal{
			AccountId: r.Account, Name: r.Name, RenewalDate: r.Renewal.String(), Arr: arrFigure(r, o.Currency),
			Band: r.Band, Owner: r.Owner, Overdue: overdue(r, o),
		}

		if r.ScoreKnown {
			score, chance := fixed.Float(r.Score), fixed.Float(Likelihood(r))
			out[i].Score, out[i].Likelihood = &score, &chance
		}
	}

	return out
}

// Likelihood is how likely an account with a score renews, in micros of a percent. It is a rule, told in
// docs/portfolio.md, and not learned from outcomes.
func Likelihood(r *column.Row) int64 {
	const least, most = 1 * fixed.One, 99 * fixed.One

	percent := base(r)
	for _, d := range deductions() {
		if d.applies(r) {
			percent -= d.points * fixed.One
		}
	}

	return min(max(percent, least), most)
}

// base is what the score says: straight lines between the points.
func base(r *column.Row) int64 {
	if r.Band == healthv1.Band_BAND_UNKNOWN {
		const open = 50 * fixed.One // the score rests on too little to say anything

		return open
	}

	points := [...]struct{ score, percent int64 }{{0, 10}, {40, 45}, {60, 75}, {80, 92}, {100, 98}}

	for i := 1; i < len(points); i++ {
		low, high := points[i-1], points[i]
		if r.Score <= high.score*fixed.One {
			return low.percent*fixed.One +
				fixed.MulDiv(r.Score-low.score*fixed.One, high.percent-low.percent, high.score-low.score)
		}
	}

	return points[len(points)-1].percent * fixed.One
}

// deduction is a reason to doubt a renewal beside the score.
type deduction struct {
	points  int64
	applies func(r *column.Row) bool
}

// urgentPoints is what an open urgent ticket adds to the measure open_tickets.
const urgentPoints = 10

func deductions() [5]deduction {
	atLeast := func(m scorecard.Measure, value int64) func(*column.Row) bool {
		return func(r *column.Row) bool {
			v := measure(r, m)

			return v.Known() && int64(v) >= value*fixed.One
		}
	}

	return [...]deduction{
		{10, atLeast(scorecard.DaysSinceSeen, 14)},
		{10, atLeast(scorecard.DaysSinceSeen, 30)}, // on top of the one before
		{10, atLeast(scorecard.OpenTickets, urgentPoints)},
		{5, atLeast(scorecard.DaysSinceTouch, 60)},
		{10, func(r *column.Row) bool { return r.Change30.Known() && r.Change30 <= -10*fixed.One }},
	}
}
