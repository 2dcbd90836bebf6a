package portfolio_test

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// This file works the figures out a second time, from docs/portfolio.md and the comments of the contract: with exact
// rationals, and by walking all accounts again for each figure.

func units(micros int64) *big.Rat { return big.NewRat(micros, 1_000_000) }

func double(x *big.Rat) float64 {
	f, _ := x.Float64()

	return f
}

// rounded rounds to micros, half away from zero.
func rounded(x *big.Rat) *big.Rat {
	text := x.FloatString(6) // rounds half away from zero
	out, _ := new(big.Rat).SetString(text)

	if most := big.NewRat(1_000_000_000_000, 1); out.Cmp(most) > 0 {
		return most
	}

	return out
}

func percent(part, all *big.Rat) *float64 {
	if all.Sign() == 0 {
		return nil
	}

	share := new(big.Rat).Quo(part, all)

	return new(double(rounded(share.Mul(share, big.NewRat(100, 1)))))
}

func isChurned(r *column.Row) bool { return r.Stage == healthv1.Stage_STAGE_CHURNED }

// filtered returns the rows for which all conditions hold.
func filtered(rows []*column.Row, conditions ...func(*column.Row) bool) []*column.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r *column.Row) bool {
		return slices.ContainsFunc(conditions, func(c func(*column.Row) bool) bool { return !c(r) })
	})
}

func total(rows []*column.Row, arr func(*column.Row) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, r := range rows {
		sum.Add(sum, arr(r))
	}

	return sum
}

// arrNow is the arr in the answer's currency.
func (g *generated) arrNow(r *column.Row) *big.Rat {
	if !r.ARRKnown || r.Currency != g.options.Currency {
		return new(big.Rat)
	}

	return units(r.ARR)
}

func (g *generated) group(name string, rows []*column.Row) *healthv1.Group {
	scored := filtered(rows, func(r *column.Row) bool { return r.ScoreKnown })
	out := &healthv1.Group{
		Name: name, Accounts: int32(len(rows)), Scored: int32(len(scored)), Arr: double(total(rows, g.arrNow)),
		ArrAtRisk: double(total(filtered(rows, func(r *column.Row) bool {
			return r.Band == healthv1.Band_BAND_CRITICAL || r.Band == healthv1.Band_BAND_AT_RISK
		}), g.arrNow)),
	}

	if len(scored) > 0 {
		sum := total(scored, func(r *column.Row) *big.Rat { return units(r.Score) })
		out.Score = new(double(rounded(sum.Quo(sum, big.NewRat(int64(len(scored)), 1)))))
	}

	return out
}

func (g *generated) groupsBy(rows []*column.Row, name func(*column.Row) string) []*healthv1.Group {
	var out []*healthv1.Group

	for _, r := range rows {
		if !slices.ContainsFunc(out, func(o *healthv1.Group) bool { return o.GetName() == name(r) }) {
			out = append(out, g.group(name(r), filtered(rows, func(o *column.Row) bool { return name(o) == name(r) })))
		}
	}

	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.GetArr() != b.GetArr() {
			return a.GetArr() > b.GetArr()
		}

		if a.GetAccounts() != b.GetAccounts() {
			return a.GetAccounts() > b.GetAccounts()
		}

		return a.GetName() < b.GetName()
	})

	return out
}

// monthEnd is how the account stood at the end of a month; now, if that month has not ended for it.
func monthEnd(r *column.Row, m health.Month) (there bool, arr *big.Rat, renewal health.Day) {
	if m >= health.MonthOf(r.Day) {
		if isChurned(r) {
			return false, new(big.Rat), r.Renewal
		}

		if !r.ARRKnown {
			return true, new(big.Rat), r.Renewal
		}

		return true, units(r.ARR), r.Renewal
	}

	for _, e := range r.Months {
		if e.Month != m {
			continue
		}

		renewal, arr = column.NoDay, new(big.Rat)
		if e.HasRenewal {
			renewal = e.Renewal
		}

		if e.ARR.Known {
			arr = units(e.ARR.Micros)
		}

		return true, arr, renewal
	}

	return false, new(big.Rat), column.NoDay
}

func (g *generated) month(m health.Month) *healthv1.Retention {
	own := func(r *column.Row) bool { return r.Currency == g.options.Currency }
	opening := func(r *column.Row) *big.Rat { _, arr, _ := monthEnd(r, m-1); return arr }
	closing := func(r *column.Row) *big.Rat { _, arr, _ := monthEnd(r, m); return arr }
	minus := func(a, b func(*column.Row) *big.Rat) func(*column.Row) *big.Rat {
		return func(r *column.Row) *big.Rat { return new(big.Rat).Sub(a(r), b(r)) }
	}

	var (
		before = filtered(g.rows, func(r *column.Row) bool { return opening(r).Sign() > 0 })
		gone   = filtered(before, func(r *column.Row) bool { return closing(r).Sign() == 0 })
		stayed = filtered(before, own, func(r *column.Row) bool { return closing(r).Sign() > 0 })
		grew   = filtered(stayed, func(r *column.Row) bool { return closing(r).Cmp(opening(r)) > 0 })
		shrank = filtered(stayed, func(r *column.Row) bool { return closing(r).Cmp(opening(r)) < 0 })
		fresh  = filtered(g.rows, own, func(r *column.Row) bool { return opening(r).Sign() == 0 && closing(r).Sign() > 0 })
		renews = filtered(before, own, func(r *column.Row) bool {
			_, _, day := monthEnd(r, m-1)

			return day != column.NoDay && health.MonthOf(day) == m && day <= g.options.Today
		})

		start       = total(filtered(before, own), opening)
		expansion   = total(grew, minus(closing, opening))
		contraction = total(shrank, minus(opening, closing))
		churned     = total(filtered(gone, own), opening)
		renewable   = total(renews, opening)
		renewed     = total(renews, closing)
	)

	gross := new(big.Rat).Sub(new(big.Rat).Sub(start, contraction), churned)

	return &healthv1.Retention{
		Month: m.String(), Accounts: int32(len(before)), ChurnedAccounts: int32(len(gone)),
		OpeningArr: double(start), ExpansionArr: double(expansion), ContractionArr: double(contraction),
		ChurnedArr: double(churned), NewArr: double(total(fresh, closing)),
		GrossRetention: percent(gross, start), NetRetention: percent(new(big.Rat).Add(gross, expansion), start),
		RenewableArr: double(renewable), RenewedArr: double(renewed), NetRenewalRate: percent(renewed, renewable),
		LogoChurn: percent(big.NewRat(int64(len(gone)), 1), big.NewRat(int64(len(before)), 1)),
	}
}

func beginMonth(r *column.Row) health.Month {
	for _, d := range []health.Day{r.Created, r.First} {
		if d != column.NoDay {
			return health.MonthOf(d)
		}
	}

	if len(r.Months) > 0 {
		return r.Months[0].Month
	}

	return health.MonthOf(r.Day)
}

// firstARR is the first arr that is known of the account, and the month whose end had it; the profile's where none had.
func firstARR(r *column.Row) (*big.Rat, health.Month) {
	for m := beginMonth(r); m < health.MonthOf(r.Day); m++ {
		if _, arr, _ := monthEnd(r, m); arr.Sign() > 0 {
			return arr, m
		}
	}

	if !r.ARRKnown {
		return new(big.Rat), health.MonthOf(r.Day)
	}

	return units(r.ARR), health.MonthOf(r.Day)
}

// customer says whether the account was one at the end of a month from its beginning on.
func customer(r *column.Row, m health.Month) bool {
	if there, _, _ := monthEnd(r, m); there {
		return true
	}

	if m >= health.MonthOf(r.Day) {
		return false
	}

	for _, e := range r.Months { // nothing known up to there, but something later
		if e.Month >= beginMonth(r) {
			return m < e.Month
		}
	}

	return !isChurned(r) || m.Last() < r.Churn
}

func (g *generated) cohort(m health.Month) *healthv1.Cohort {
	rows := filtered(g.rows, func(r *column.Row) bool { return beginMonth(r) == m })
	if len(rows) == 0 {
		return nil
	}

	own := filtered(rows, func(r *column.Row) bool { return r.Currency == g.options.Currency })
	opening := total(own, func(r *column.Row) *big.Rat { arr, _ := firstARR(r); return arr })
	out := &healthv1.Cohort{Month: m.String(), Accounts: int32(len(rows)), OpeningArr: double(opening)}

	for at := m; at <= g.options.To; at++ {
		there := func(r *column.Row) bool { return customer(r, at) }
		out.LogoRetention = append(out.LogoRetention, *percent(
			big.NewRat(int64(len(filtered(rows, there))), 1), big.NewRat(int64(len(rows)), 1)))

		arr := total(filtered(own, there), func(r *column.Row) *big.Rat {
			if first, since := firstARR(r); at < since {
				return first
			}

			_, arr, _ := monthEnd(r, at)

			return arr
		})
		if net := percent(arr, opening); net != nil {
			out.NetRetention = append(out.NetRetention, *net)
		}
	}

	return out
}

func (g *generated) movements() []*healthv1.Movement {
	const unspecified = healthv1.Band_BAND_UNSPECIFIED

	var (
		out  []*healthv1.Movement
		rank = []healthv1.Band{2, 3, 4, 5, 1, 0}
		then = g.options.Today - health.Day(g.options.MovementDays)
		from = func(r *column.Row) healthv1.Band {
			if then >= r.Day && !isChurned(r) {
				return r.ComputedBand
			}

			for _, d := range r.Recent {
				if d.Day == then {
					return healthv1.Band(d.Band)
				}
			}

			return unspecified
		}
		to = func(r *column.Row) healthv1.Band {
			if isChurned(r) {
				return unspecified
			}

			return r.ComputedBand
		}
		arr = func(r *column.Row) *big.Rat {
			if r.Currency != g.options.Currency {
				return new(big.Rat)
			}

			if isChurned(r) {
				for i := range r.Months {
					if e := r.Months[len(r.Months)-1-i]; e.ARR.Known {
						return units(e.ARR.Micros)
					}
				}
			}

			return g.arrNow(r)
		}
	)

	for _, a := range rank {
		for _, b := range rank {
			rows := filtered(g.rows, func(r *column.Row) bool { return from(r) == a && to(r) == b })
			if len(rows) > 0 && (a != unspecified || b != unspecified) {
				out = append(out, &healthv1.Movement{FromBand: a, ToBand: b, Accounts: int32(len(rows)), Arr: double(total(rows, arr))})
			}
		}
	}

	return out
}

func (g *generated) surveyFigure(segment string, m health.Month) *healthv1.SurveyFigure {
	sum := func(of func(health.SurveyFact) int64) *big.Rat {
		n := int64(0)

		for _, r := range g.rows {
			for _, s := range r.Surveys {
				if (segment == "" || r.Segment == segment) && health.MonthOf(s.Day) == m {
					n += of(s)
				}
			}
		}

		return big.NewRat(n, 1)
	}
	whole := func(x *big.Rat) int64 { return x.Num().Int64() }
	nps := sum(func(s health.SurveyFact) int64 { return s.NPS })
	csat := sum(func(s health.SurveyFact) int64 { return s.CSAT })
	ces := sum(func(s health.SurveyFact) int64 { return s.CES })
	sent := sum(func(s health.SurveyFact) int64 { return s.Sent })
	answered := sum(func(s health.SurveyFact) int64 { return s.Answered })

	f := &healthv1.SurveyFigure{
		Segment: segment, Month: m.String(),
		Nps:        percent(sum(func(s health.SurveyFact) int64 { return s.Promoters - s.Detractors }), nps),
		NpsAnswers: whole(nps), Csat: percent(sum(func(s health.SurveyFact) int64 { return s.CSATGood }), csat),
		CsatAnswers: whole(csat), CesAnswers: whole(ces), ResponseRate: percent(answered, sent), Sent: whole(sent),
	}
	if f.ResponseRate != nil {
		*f.ResponseRate = min(*f.ResponseRate, 100)
	}

	if ces.Sign() > 0 {
		f.Ces = new(double(rounded(new(big.Rat).Quo(sum(func(s health.SurveyFact) int64 { return s.CESSum }), ces))))
	}

	if f.GetNpsAnswers()+f.GetCsatAnswers()+f.GetCesAnswers()+f.GetSent()+whole(answered) == 0 {
		return nil
	}

	return f
}

// is says whether a measure is known and at least so much.
func is(r *column.Row, m scorecard.Measure, atLeast float64) bool {
	v := r.Measures[m]

	return v != column.None && double(units(int64(v))) >= atLeast
}

func (g *generated) arrOrNil(r *column.Row) *float64 {
	if !r.ARRKnown || r.Currency != g.options.Currency {
		return nil
	}

	return new(double(units(r.ARR)))
}

// before is the order of lists of accounts behind their own: the larger arr, none last, then the id.
func (g *generated) before(a, b *column.Row) bool {
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

func (g *generated) limited(rows []*column.Row, less func(a, b *column.Row) bool) []*column.Row {
	sort.SliceStable(rows, func(i, j int) bool { return less(rows[i], rows[j]) })

	return rows[:min(len(rows), g.options.Limit)]
}

func (g *generated) renewals() []*healthv1.Renewal {
	rows := filtered(g.rows, func(r *column.Row) bool {
		ahead := int(r.Renewal) - int(g.options.Today)

		return !isChurned(r) && r.Renewal != column.NoDay && ahead >= 0 && ahead <= g.options.RenewalDays
	})
	out := []*healthv1.Renewal{}

	for _, r := range g.limited(rows, func(a, b *column.Row) bool {
		if a.Renewal != b.Renewal {
			return a.Renewal < b.Renewal
		}

		return g.before(a, b)
	}) {
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
func likely(r *column.Row) float64 {
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

func (g *generated) candidates(rows []*column.Row, less func(a, b *column.Row) bool) (ids []string) {
	for _, r := range g.limited(rows, less) {
		ids = append(ids, strings.Join([]string{r.Account, r.Owner, fmt.Sprint(double(units(r.Score))), fmt.Sprint(double(g.arrNow(r)))}, " "))
	}

	return ids
}

func (g *generated) healthyOnes() []*column.Row {
	return filtered(g.rows, func(r *column.Row) bool {
		return !isChurned(r) && r.ScoreKnown && r.Band == healthv1.Band_BAND_HEALTHY
	})
}

func (g *generated) expansions() []string {
	signs := func(r *column.Row) (n int) {
		if is(r, scorecard.ActiveUsers, 80) {
			n++
		}

		if is(r, scorecard.UsageTrend, 10) {
			n++
		}

		return n
	}

	return g.candidates(filtered(g.healthyOnes(), func(r *column.Row) bool { return signs(r) > 0 }), func(a, b *column.Row) bool {
		if signs(a) != signs(b) {
			return signs(a) > signs(b)
		}

		return a.Score > b.Score || a.Score == b.Score && g.before(a, b)
	})
}

func (g *generated) references() []string {
	return g.candidates(filtered(g.healthyOnes(), func(r *column.Row) bool {
		nps, csat := r.Measures[scorecard.NPS] != column.None, r.Measures[scorecard.CSAT] != column.None

		return r.Stage == healthv1.Stage_STAGE_STEADY && (nps || csat) && !is(r, scorecard.OpenTickets, 10) &&
			(!nps || is(r, scorecard.NPS, 50)) && (!csat || is(r, scorecard.CSAT, 90))
	}), func(a, b *column.Row) bool { return a.Score > b.Score || a.Score == b.Score && g.before(a, b) })
}
