package query

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// microsPerUnit is how many micros make one.
const microsPerUnit = 1_000_000

// float is the number nearest to micros; the core's exact one.
func float(micros int64) float64 { return float64(micros) / microsPerUnit }

// timestamp makes a timestamp of log time in microseconds; nil for 0: nothing seen yet.
func timestamp(micros int64) *timestamppb.Timestamp {
	if micros == 0 {
		return nil
	}

	return &timestamppb.Timestamp{
		Seconds: micros / microsPerUnit, Nanos: int32(micros % microsPerUnit * 1000),
	}
}

// floats hands out pointers to numbers from one allocation.
type floats []float64

// of returns a pointer to the value; nil if it is not known.
func (f *floats) of(v scorecard.Value) *float64 {
	if !v.Known {
		return nil
	}

	if len(*f) == 0 {
		*f = make(floats, 8)
	}

	p := &(*f)[0]
	*p, *f = float(v.Micros), (*f)[1:]

	return p
}

// health is the account in answers.
func (v *view) health(account string) *healthv1.AccountHealth {
	x, p := v.account.Explain(v.set), v.account.Profile()

	h := explained(account, &x, &p, v.logTime)
	h.ComputedScore, h.ComputedBand = h.Score, h.Band

	if o := v.account.Override(); o != nil {
		score, band := v.account.Effective()
		effective := float(score.Micros)
		h.Score, h.Band, h.Override = &effective, healthv1.Band(band), override(o)
	}

	return h
}

// override is a score set by hand in answers.
func override(o *health.Override) *healthv1.Override {
	return &healthv1.Override{
		Score: float(o.Score), Author: o.Author, Reason: o.Reason, SetAt: timestamp(o.SetAt),
		ExpireDate: o.LastDay.String(),
	}
}

// explained is the answer of GetHealth, without what people decided. It is built from few, large allocations, because
// it is built for every read of an account that changed.
func explained(account string, x *health.Explanation, p *health.Profile, logTime int64) *healthv1.AccountHealth {
	count := 0
	for i := range x.Dimensions {
		count += len(x.Dimensions[i].Measures)
	}

	var (
		numbers  = make(floats, 1+len(x.Dimensions)+2*count)
		measures = make([]healthv1.Measure, count)
		pointers = make([]*healthv1.Measure, count)
		slab     = make([]healthv1.Dimension, len(x.Dimensions))
		h        = &healthv1.AccountHealth{
			AccountId: account, Score: numbers.of(x.Result.Score), Band: healthv1.Band(x.Result.Band),
			Coverage: float(x.Result.Coverage), Stage: healthv1.Stage(x.Result.Stage),
			Scorecard: x.Result.Card, ScorecardVersion: x.Result.SetVersion,
			Dimensions: make([]*healthv1.Dimension, len(x.Dimensions)),
			Profile:    profile(p), AsOf: timestamp(logTime), Day: x.Day.String(), Approximate: x.Approximate,
		}
	)

	for i := range x.Dimensions {
		d := &x.Dimensions[i]
		out := &slab[i]
		out.Name, out.Score, out.Weight = d.Name, numbers.of(d.Score), float64(d.Weight)
		out.Contribution = float(d.Contribution)

		for j := range d.Measures {
			m := &d.Measures[j]
			to := &measures[j]
			to.Name, to.Unit, to.WindowDays = m.Measure.Name(), m.Measure.Unit(), m.Measure.WindowDays()
			to.Value, to.Points = numbers.of(m.Value), numbers.of(m.Points)
			to.Weight, to.Contribution = float64(m.Weight), float(m.Contribution)
			pointers[j] = to
		}

		n := len(d.Measures)
		out.Measures, pointers, measures = pointers[:n:n], pointers[n:], measures[n:]
		h.Dimensions[i] = out
	}

	return h
}

// profile is the profile in answers.
func profile(p *health.Profile) *healthv1.Profile {
	out := &healthv1.Profile{
		Name: p.Name, Plan: p.Plan, Currency: p.Currency, Seats: p.Seats, RenewalDate: p.RenewalDate,
		TermDays: p.TermDays, CreatedDate: p.CreatedDate, Owner: p.Owner, Segment: p.Segment,
		Industry: p.Industry, Parent: p.Parent, Stage: p.Stage, ChurnDate: p.ChurnDate,
	}

	if p.ARR != nil {
		arr := float(*p.ARR)
		out.Arr = &arr
	}

	if len(p.Traits) > 0 {
		out.Traits = make(map[string]string, len(p.Traits))
		for i := range p.Traits {
			out.Traits[p.Traits[i].Name] = traitText(p.Traits[i].Trait)
		}
	}

	return out
}

// traitText writes a trait as text; numbers as plain decimals, without what float64 would lose.
func traitText(t scorecard.Trait) string {
	switch t.Kind {
	case scorecard.TraitText:
		return t.Text
	case scorecard.TraitNumber:
		return decimal(t.Micros)
	case scorecard.TraitFlag:
		return strconv.FormatBool(t.Flag)
	default:
		return ""
	}
}

// decimal writes micros as a decimal number without trailing zeros.
func decimal(micros int64) string {
	sign, n := "", uint64(micros) //nolint:gosec // the sign is looked at below
	if micros < 0 {
		sign, n = "-", -n
	}

	whole := strconv.FormatUint(n/microsPerUnit, 10)

	rest := strings.TrimRight(strconv.FormatUint(microsPerUnit+n%microsPerUnit, 10)[1:], "0")
	if rest == "" {
		return sign + whole
	}

	return sign + whole + "." + rest
}

// historyRow is a day in answers.
func historyRow(r *health.Row) *healthv1.HistoryRow {
	numbers := make(floats, 1)
	out := &healthv1.HistoryRow{
		Day: r.Day.String(), Score: numbers.of(r.Score), Band: healthv1.Band(r.Band), Coverage: float(r.Coverage),
		Stage: healthv1.Stage(r.Stage), Scorecard: r.Card, ScorecardVersion: r.SetVersion,
	}

	for i, d := range r.Dimensions {
		if !d.Known {
			continue
		}

		if out.Dimensions == nil {
			out.Dimensions = make(map[string]float64, len(r.Dimensions))
		}

		out.Dimensions[health.DimensionName(i)] = float(d.Micros)
	}

	for m := range r.Measures {
		if v := r.Measures[m]; r.HasMeasures && v.Known {
			if out.Measures == nil {
				out.Measures = make(map[string]float64, len(r.Measures))
			}

			out.Measures[scorecard.Measure(m).Name()] = float(v.Micros)
		}
	}

	return out
}
