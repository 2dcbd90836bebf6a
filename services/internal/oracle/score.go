package oracle

import (
	"math/big"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// Evaluation is an account's score on a day, with everything that made it. Numbers are micros.
type Evaluation struct {
	Stage      string
	Card       string
	SetVersion uint64
	Score      int64
	Known      bool // whether any measure of the card has data
	Coverage   int64
	Measures   scorecard.Values // by the card's absence rule, those outside the card too
	Dimensions []Dimension      // in scorecard order
}

// Dimension is a dimension's part of a score.
type Dimension struct {
	Name         string
	Weight       int64 // percent, whole
	Score        int64
	Known        bool
	Contribution int64
	Measures     []Measure
}

// Measure is a measure's part of a score.
type Measure struct {
	Measure      scorecard.Measure
	Weight       int64 // percent, whole
	Value        scorecard.Value
	Points       int64 // 0 where the value is unknown
	Contribution int64
}

// Evaluate scores an account from its accepted events, in any order, on the day today.
func Evaluate(events []Timed, today Day, set *scorecard.Set) Evaluation {
	return evaluate(newLedger(events, today), set, nil)
}

// evaluate scores an account of which some measures stand still.
func evaluate(l ledger, set *scorecard.Set, still map[scorecard.Measure]scorecard.Value) Evaluation {
	stage := l.stage(set.Milestones)
	measures := func(connected scorecard.Source) scorecard.Values {
		return l.still(set.Milestones, connected, still)
	}
	card := set.Select(subject{ledger: l, stage: stage, measures: measures(0)})
	e := Evaluation{
		Stage: stage, Card: card.Name, SetVersion: set.Version, Measures: measures(card.Connected),
	}
	for _, d := range card.Dimensions {
		e.Dimensions = append(e.Dimensions, dimension(d, e.Measures))
	}
	e.total()
	e.contributions()
	return e
}

// dimension scores a dimension from its measures' points.
func dimension(d scorecard.Dimension, values scorecard.Values) Dimension {
	scored := Dimension{Name: d.Name, Weight: d.Weight}
	sum, weight := whole(0), whole(0)
	for _, m := range d.Measures {
		part := Measure{Measure: m.Measure, Weight: m.Weight, Value: values[m.Measure]}
		if part.Value.Known {
			part.Points = Points(m.Curve, part.Value.Micros)
			sum = plus(sum, times(whole(m.Weight), whole(part.Points)))
			weight = plus(weight, whole(m.Weight))
		}
		scored.Measures = append(scored.Measures, part)
	}
	if weight.Sign() > 0 {
		scored.Score, scored.Known = round(through(sum, weight)).Int64(), true
	}
	return scored
}

// Points reads a curve at a value; both are micros.
func Points(curve scorecard.Curve, value int64) int64 {
	if value <= curve[0].X {
		return curve[0].Y
	}
	for i := 1; i < len(curve); i++ {
		a, b := curve[i-1], curve[i]
		if value > b.X {
			continue
		}
		slope := through(minus(whole(b.Y), whole(a.Y)), minus(whole(b.X), whole(a.X)))
		rise := times(slope, minus(whole(value), whole(a.X)))
		return round(plus(whole(a.Y), rise)).Int64()
	}
	return curve[len(curve)-1].Y
}

// total scores the account from its dimensions' scores, and finds the coverage.
func (e *Evaluation) total() {
	sum, weight := whole(0), whole(0)
	for _, d := range e.Dimensions {
		if d.Known {
			sum = plus(sum, times(whole(d.Weight), whole(d.Score)))
			weight = plus(weight, whole(d.Weight))
		}
		for _, m := range d.Measures {
			if m.Value.Known {
				e.Coverage += m.Weight * 1_000_000
			}
		}
	}
	if weight.Sign() > 0 {
		e.Score, e.Known = round(through(sum, weight)).Int64(), true
	}
}

// contributions splits the score over the measures by largest remainder.
func (e *Evaluation) contributions() {
	type part struct {
		to        *Measure
		remainder *big.Rat
	}
	var parts []part
	missing := e.Score
	for i := range e.Dimensions {
		for j := range e.Dimensions[i].Measures {
			m := &e.Dimensions[i].Measures[j]
			if !m.Value.Known {
				continue
			}
			share := e.share(e.Dimensions[i], *m)
			m.Contribution = floor(share).Int64()
			missing -= m.Contribution
			parts = append(parts, part{to: m, remainder: minus(share, new(big.Rat).SetInt(floor(share)))})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.remainder.Cmp(a.remainder) })
	for i := range missing {
		parts[i].to.Contribution++
	}
	for i := range e.Dimensions {
		for _, m := range e.Dimensions[i].Measures {
			e.Dimensions[i].Contribution += m.Contribution
		}
	}
}

// share is a measure's exact part of the score.
func (e *Evaluation) share(in Dimension, m Measure) *big.Rat {
	outer, inner := whole(0), whole(0)
	for _, d := range e.Dimensions {
		if d.Known {
			outer = plus(outer, whole(d.Weight))
		}
	}
	for _, other := range in.Measures {
		if other.Value.Known {
			inner = plus(inner, whole(other.Weight))
		}
	}
	product := times(times(whole(in.Weight), whole(m.Weight)), whole(m.Points))
	return through(product, times(outer, inner))
}
