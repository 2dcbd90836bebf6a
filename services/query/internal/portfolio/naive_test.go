package portfolio_test

import (
	"math/big"
	"slices"
	"sort"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// This file works the figures out a second time, from docs/portfolio.md and the comments of the contract: with exact
// rationals, and by walking all accounts again for each figure.

func units(micros int64) *big.Rat { return big.NewRat(micros, 1_000_000) }

func double(x *big.Rat) float64 {
	f, _ := x.Float64()

	return f
}

// wire is a number of at most 64 bits of micros as answers have it.
func wire(x *big.Rat) float64 {
	return float64(new(big.Rat).Mul(x, big.NewRat(1_000_000, 1)).Num().Int64()) / 1_000_000
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

	return new(wire(rounded(share.Mul(share, big.NewRat(100, 1)))))
}

func isChurned(r *subject) bool { return r.Stage == healthv1.Stage_STAGE_CHURNED }

// filtered returns the rows for which all conditions hold.
func filtered(rows []*subject, conditions ...func(*subject) bool) []*subject {
	return slices.DeleteFunc(slices.Clone(rows), func(r *subject) bool {
		return slices.ContainsFunc(conditions, func(c func(*subject) bool) bool { return !c(r) })
	})
}

func total(rows []*subject, arr func(*subject) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, r := range rows {
		sum.Add(sum, arr(r))
	}

	return sum
}

// arrNow is the arr in the answer's currency.
func (g *generated) arrNow(r *subject) *big.Rat {
	if !r.ARRKnown || r.Currency != g.options.Currency {
		return new(big.Rat)
	}

	return units(r.ARR)
}

func (g *generated) group(name string, rows []*subject) *healthv1.Group {
	scored := filtered(rows, func(r *subject) bool { return r.ScoreKnown })
	out := &healthv1.Group{
		Name: name, Accounts: int32(len(rows)), Scored: int32(len(scored)), Arr: double(total(rows, g.arrNow)),
		ArrAtRisk: double(total(filtered(rows, func(r *subject) bool {
			return r.Band == healthv1.Band_BAND_CRITICAL || r.Band == healthv1.Band_BAND_AT_RISK
		}), g.arrNow)),
	}

	if len(scored) > 0 {
		sum := total(scored, func(r *subject) *big.Rat { return units(r.Score) })
		out.Score = new(wire(rounded(sum.Quo(sum, big.NewRat(int64(len(scored)), 1)))))
	}

	return out
}

func (g *generated) groupsBy(rows []*subject, name func(*subject) string) []*healthv1.Group {
	var (
		out []*healthv1.Group
		arr = func(o *healthv1.Group) *big.Rat { // exact: doubles may be equal where amounts are not
			return total(filtered(rows, func(r *subject) bool { return name(r) == o.GetName() }), g.arrNow)
		}
	)

	for _, r := range rows {
		if !slices.ContainsFunc(out, func(o *healthv1.Group) bool { return o.GetName() == name(r) }) {
			out = append(out, g.group(name(r), filtered(rows, func(o *subject) bool { return name(o) == name(r) })))
		}
	}

	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if c := arr(a).Cmp(arr(b)); c != 0 {
			return c > 0
		}

		if a.GetAccounts() != b.GetAccounts() {
			return a.GetAccounts() > b.GetAccounts()
		}

		return a.GetName() < b.GetName()
	})

	return out
}

// monthEnd is how the account stood at the end of a month; now, if that month has not ended for it.
func monthEnd(r *subject, m health.Month) (there bool, arr *big.Rat, renewal health.Day) {
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
	own := func(r *subject) bool { return r.Currency == g.options.Currency }
	opening := func(r *subject) *big.Rat { _, arr, _ := monthEnd(r, m-1); return arr }
	closing := func(r *subject) *big.Rat { _, arr, _ := monthEnd(r, m); return arr }
	minus := func(a, b func(*subject) *big.Rat) func(*subject) *big.Rat {
		return func(r *subject) *big.Rat { return new(big.Rat).Sub(a(r), b(r)) }
	}

	var (
		before = filtered(g.rows, func(r *subject) bool { return opening(r).Sign() > 0 })
		gone   = filtered(before, func(r *subject) bool { return closing(r).Sign() == 0 })
		stayed = filtered(before, own, func(r *subject) bool { return closing(r).Sign() > 0 })
		grew   = filtered(stayed, func(r *subject) bool { return closing(r).Cmp(opening(r)) > 0 })
		shrank = filtered(stayed, func(r *subject) bool { return closing(r).Cmp(opening(r)) < 0 })
		fresh  = filtered(g.rows, own, func(r *subject) bool { return opening(r).Sign() == 0 && closing(r).Sign() > 0 })
		renews = filtered(before, own, func(r *subject) bool {
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

func beginMonth(r *subject) health.Month {
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
func firstARR(r *subject) (*big.Rat, health.Month) {
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
func customer(r *subject, m health.Month) bool {
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
	rows := filtered(g.rows, func(r *subject) bool { return beginMonth(r) == m })
	if len(rows) == 0 {
		return nil
	}

	own := filtered(rows, func(r *subject) bool { return r.Currency == g.options.Currency })
	opening := total(own, func(r *subject) *big.Rat { arr, _ := firstARR(r); return arr })
	out := &healthv1.Cohort{Month: m.String(), Accounts: int32(len(rows)), OpeningArr: double(opening)}

	for at := m; at <= g.options.To; at++ {
		there := func(r *subject) bool { return customer(r, at) }
		out.LogoRetention = append(out.LogoRetention, *percent(
			big.NewRat(int64(len(filtered(rows, there))), 1), big.NewRat(int64(len(rows)), 1)))

		arr := total(filtered(own, there), func(r *subject) *big.Rat {
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
		from = func(r *subject) healthv1.Band {
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
		to = func(r *subject) healthv1.Band {
			if isChurned(r) {
				return unspecified
			}

			return r.ComputedBand
		}
		arr = func(r *subject) *big.Rat {
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
			rows := filtered(g.rows, func(r *subject) bool { return from(r) == a && to(r) == b })
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
		f.Ces = new(wire(rounded(new(big.Rat).Quo(sum(func(s health.SurveyFact) int64 { return s.CESSum }), ces))))
	}

	if f.GetNpsAnswers()+f.GetCsatAnswers()+f.GetCesAnswers()+f.GetSent()+whole(answered) == 0 {
		return nil
	}

	return f
}
