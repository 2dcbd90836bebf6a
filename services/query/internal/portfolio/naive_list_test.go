package portfolio_test

import (
	"fmt"
	"math/big"
	"sort"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// The lists of accounts, worked out a second time.

// is says whether a measure is known and at least so much.
func is(r *subject, m scorecard.Measure, atLeast float64) bool {
	v := r.Measures[m]

	return v != column.None && double(units(int64(v))) >= atLeast
}

func (g *generated) arrOrNil(r *subject) *float64 {
	if !r.ARRKnown || r.Currency != g.options.Currency {
		return nil
	}

	return new(wire(units(r.ARR)))
}

// before is the order of lists of accounts behind their own: the larger arr, none last, then the id.
func (g *generated) before(a, b *subject) bool {
	x, y := g.arrOrNil(a), g.arrOrNil(b)

	switch {
	case (x == nil) != (y == nil):
		return y == nil
	case x != nil && *x != *y:
		return *x > *y
	default:
		return a.Account < b.Account
	}
}

func (g *generated) limited(rows []*subject, less func(a, b *subject) bool) []*subject {
	sort.SliceStable(rows, func(i, j int) bool { return less(rows[i], rows[j]) })

	return rows[:min(len(rows), g.options.Limit)]
}

func (g *generated) renewals() []*healthv1.Renewal {
	rows := filtered(g.rows, func(r *subject) bool {
		ahead := int(r.Renewal) - int(g.options.Today)

		return !isChurned(r) && r.Renewal != column.NoDay && ahead >= 0 && ahead <= g.options.RenewalDays
	})

	return g.renewing(g.limited(rows, func(a, b *subject) bool {
		if a.Renewal != b.Renewal {
			return a.Renewal < b.Renewal
		}

		return g.before(a, b)
	}))
}

// overdue are the renewals of before today, the latest first.
func (g *generated) overdue() []*healthv1.Renewal {
	rows := filtered(g.rows, func(r *subject) bool {
		return !isChurned(r) && r.Renewal != column.NoDay && int(r.Renewal) < int(g.options.Today)
	})

	out := g.renewing(g.limited(rows, func(a, b *subject) bool {
		if a.Renewal != b.Renewal {
			return a.Renewal > b.Renewal
		}

		return g.before(a, b)
	}))
	for _, r := range out {
		r.Overdue = true
	}

	return out
}

func (g *generated) renewing(rows []*subject) []*healthv1.Renewal {
	out := []*healthv1.Renewal{}

	for _, r := range rows {
		f := &healthv1.Renewal{
			AccountId: r.Account, Name: r.Name, RenewalDate: r.Renewal.String(), Arr: g.arrOrNil(r), Band: r.Band, Owner: r.Owner,
		}
		if r.ScoreKnown {
			f.Score, f.Likelihood = new(double(units(r.Score))), new(likely(r))
		}

		out = append(out, f)
	}

	return out
}

// likely is the rule for the likelihood, as the page tells it.
func likely(r *subject) float64 {
	var (
		score = units(r.Score)
		p     = new(big.Rat)
		line  = func(x0, y0, x1, y1 int64) {
			p.Sub(score, big.NewRat(x0, 1))
			p.Mul(p, big.NewRat(y1-y0, x1-x0))
			p.Add(p, big.NewRat(y0, 1))
		}
	)

	switch s := double(score); {
	case r.Band == healthv1.Band_BAND_UNKNOWN:
		p.SetInt64(50)
	case s <= 40:
		line(0, 10, 40, 45)
	case s <= 60:
		line(40, 45, 60, 75)
	case s <= 80:
		line(60, 75, 80, 92)
	default:
		line(80, 92, 100, 98)
	}

	p = rounded(p)
	for points, yes := range map[string]bool{
		"10 seen":   is(r, scorecard.DaysSinceSeen, 14),
		"10 gone":   is(r, scorecard.DaysSinceSeen, 30),
		"10 urgent": is(r, scorecard.OpenTickets, 10),
		"5 touch":   is(r, scorecard.DaysSinceTouch, 60),
		"10 fall":   r.Change30 != column.None && r.Change30 <= -10_000_000,
	} {
		if yes {
			var n int64

			_, _ = fmt.Sscan(points, &n)
			p.Sub(p, big.NewRat(n, 1))
		}
	}

	return min(max(double(p), 1), 99)
}

func (g *generated) candidates(rows []*subject, less func(a, b *subject) bool) (ids []string) {
	for _, r := range g.limited(rows, less) {
		ids = append(ids, strings.Join([]string{r.Account, r.Owner, fmt.Sprint(double(units(r.Score))), fmt.Sprint(double(g.arrNow(r)))}, " "))
	}

	return ids
}

func (g *generated) healthyOnes() []*subject {
	return filtered(g.rows, func(r *subject) bool {
		return !isChurned(r) && r.ScoreKnown && r.Band == healthv1.Band_BAND_HEALTHY
	})
}

func (g *generated) expansions() []string {
	signs := func(r *subject) (n int) {
		if is(r, scorecard.ActiveUsers, 80) {
			n++
		}

		if is(r, scorecard.UsageTrend, 10) {
			n++
		}

		return n
	}

	return g.candidates(filtered(g.healthyOnes(), func(r *subject) bool { return signs(r) > 0 }), func(a, b *subject) bool {
		if signs(a) != signs(b) {
			return signs(a) > signs(b)
		}

		return a.Score > b.Score || a.Score == b.Score && g.before(a, b)
	})
}

func (g *generated) references() []string {
	return g.candidates(filtered(g.healthyOnes(), func(r *subject) bool {
		nps, csat := r.Measures[scorecard.NPS] != column.None, r.Measures[scorecard.CSAT] != column.None

		return r.Stage == healthv1.Stage_STAGE_STEADY && (nps || csat) && !is(r, scorecard.OpenTickets, 10) &&
			(!nps || is(r, scorecard.NPS, 50)) && (!csat || is(r, scorecard.CSAT, 90))
	}), func(a, b *subject) bool { return a.Score > b.Score || a.Score == b.Score && g.before(a, b) })
}
