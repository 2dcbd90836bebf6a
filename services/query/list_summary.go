package query

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// summaries are rows in answers, with the fields that are wanted.
func summaries(rows []*column.Row, fields mask) []*healthv1.AccountSummary {
	var (
		all  = make([]*healthv1.AccountSummary, len(rows))
		slab = make([]healthv1.AccountSummary, len(rows))
		// Most lists ask for all of these; then they are made at once.
		numbers = make(floats, 7*len(rows))
	)

	for i, r := range rows {
		s := &slab[i]
		s.AccountId, s.Name, s.Band, s.Stage = r.Account, r.Name, r.Band, r.Stage
		s.Currency, s.Owner, s.Segment, s.Plan = r.Currency, r.Owner, r.Segment, r.Plan
		s.Industry, s.Parent, s.Scorecard = r.Industry, r.Parent, r.Card
		s.Coverage, s.Overridden, s.Seats = float(r.Coverage), r.Overridden, r.Seats
		s.Score = numbers.number(known(r.ScoreKnown, r.Score))
		s.Arr = numbers.number(known(r.ARRKnown, r.ARR))
		s.ComputedScore = numbers.number(r.Computed)
		s.ScoreChange_1D = numbers.number(r.Change1)
		s.ScoreChange_7D = numbers.number(r.Change7)
		s.ScoreChange_30D = numbers.number(r.Change30)
		s.ArrAtRisk = numbers.number(r.ARRAtRisk())

		if fields.has(fieldRenewal) {
			s.RenewalDate = dayText(r.Renewal)
		}

		if fields.has(fieldCreated) {
			s.CreatedDate = dayText(r.Created)
		}

		if fields.has(fieldChurn) {
			s.ChurnDate = dayText(r.Churn)
		}

		fillMaps(s, r, fields)
		prune(s, fields)

		all[i] = s
	}

	return all
}

func known(ok bool, micros int64) column.Number {
	if !ok {
		return column.None
	}

	return column.Number(micros)
}

// number returns a pointer to the number; nil if it is not known.
func (f *floats) number(n column.Number) *float64 {
	return f.of(scorecard.Value{Known: n.Known(), Micros: int64(n)})
}

// dayText writes a day; empty if there is none.
func dayText(d health.Day) string {
	if d == column.NoDay {
		return ""
	}

	return d.String()
}

// fillMaps fills the fields that are maps.
func fillMaps(s *healthv1.AccountSummary, r *column.Row, fields mask) {
	if fields.has(fieldDimensions) {
		s.Dimensions = named(r.Dimensions[:], health.DimensionName)
	}

	if fields.has(fieldMeasures) {
		s.Measures = named(r.Measures[:], func(i int) string {
			return scorecard.Measure(i).Name() //nolint:gosec // a handful
		})
	}

	if fields.has(fieldTraits) && len(r.Traits) > 0 {
		s.Traits = make(map[string]string, len(r.Traits))
		for i := range r.Traits {
			s.Traits[r.Traits[i].Name] = traitText(r.Traits[i].Trait)
		}
	}
}

// named is numbers by name, those that are known.
func named(numbers []column.Number, name func(int) string) map[string]float64 {
	var all map[string]float64

	for i, n := range numbers {
		if !n.Known() {
			continue
		}

		if all == nil {
			all = make(map[string]float64, len(numbers))
		}

		all[name(i)] = float(int64(n))
	}

	return all
}

// prune clears the fields that are not wanted.
func prune(s *healthv1.AccountSummary, fields mask) {
	if fields&cheapFields == cheapFields {
		return
	}

	m := s.ProtoReflect()
	all := m.Descriptor().Fields()

	for i := range all.Len() {
		if f := all.Get(i); !fields.has(f.Number()) {
			m.Clear(f)
		}
	}
}
