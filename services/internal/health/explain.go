package health

import (
	"cmp"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// Explanation says what a score is made of.
type Explanation struct {
	// Result is the evaluation that is explained.
	Result Result
	// Day the windows end on.
	Day Day
	// Dimensions in scorecard order. Their contributions add up to the score.
	Dimensions []DimensionShare
	// Values are all measures by the absence rule of the scorecard, also those it does not use; none of a churned account.
	Values scorecard.Values
	// Approximate says that users or features are estimated from a sample.
	Approximate bool
}

// DimensionShare is what a dimension adds to the score.
type DimensionShare struct {
	// Name of the dimension.
	Name string
	// Score is 0 to 100, in micros; unknown without data.
	Score scorecard.Value
	// Weight in the scorecard, percent.
	Weight int64
	// Contribution to the score, micros: the sum of its measures'.
	Contribution int64
	// Measures in scorecard order.
	Measures []MeasureShare
}

// MeasureShare is what a measure adds to the score.
type MeasureShare struct {
	// Measure says which.
	Measure scorecard.Measure
	// Value in micros of the measure's unit; unknown without data.
	Value scorecard.Value
	// Points of the value on the curve, micros; unknown without data.
	Points scorecard.Value
	// Weight in the scorecard, percent.
	Weight int64
	// Contribution to the score, micros.
	Contribution int64
}

// Explain says what today's score is made of, and changes nothing. A churned account is no longer
// measured: its last score is explained by its dimensions alone, and only while the scorecards are
// those that made it.
func (a *Account) Explain(set *scorecard.Set) Explanation {
	if a.Empty() || a.churned() {
		return a.explainLast(set)
	}
	b := *a
	b.refresh()
	e := b.assess(set)
	x := Explanation{Result: e.result, Day: a.day, Approximate: a.Approximate()}
	x.explain(e.card, &e.values)
	return x
}

// piece is an exact part of the score, whole/of: its floor goes to the target, the rest is shared out.
type piece struct {
	to       *int64
	rest, of int64
}

// split gives each piece its floor, and the micros missing to the total to the largest remainders,
// one each; among equal ones to the first.
func split(pieces []piece, total int64) {
	for i := range pieces {
		total -= *pieces[i].to
	}
	slices.SortStableFunc(pieces, func(x, y piece) int { return cmp.Compare(y.rest*x.of, x.rest*y.of) })
	for i := range pieces {
		if total <= 0 {
			return
		}
		*pieces[i].to++
		total--
	}
}

// contribute splits the score over the measures.
func (x *Explanation) contribute() {
	var weights int64
	for i := range x.Dimensions {
		if x.Dimensions[i].Score.Known {
			weights += x.Dimensions[i].Weight
		}
	}
	var pieces []piece
	for i := range x.Dimensions {
		d := &x.Dimensions[i]
		var own int64
		for j := range d.Measures {
			if d.Measures[j].Points.Known {
				own += d.Measures[j].Weight
			}
		}
		for j := range d.Measures {
			m := &d.Measures[j]
			if m.Points.Known {
				share, of := d.Weight*m.Weight*m.Points.Micros, weights*own
				m.Contribution = share / of
				pieces = append(pieces, piece{&m.Contribution, share % of, of})
			}
		}
	}
	split(pieces, x.Result.Score.Micros)
	for i := range x.Dimensions {
		for j := range x.Dimensions[i].Measures {
			x.Dimensions[i].Contribution += x.Dimensions[i].Measures[j].Contribution
		}
	}
}

// explainLast explains the stored result by its dimensions.
func (a *Account) explainLast(set *scorecard.Set) Explanation {
	x := Explanation{Result: a.result, Day: a.day, Approximate: a.Approximate()}
	if card := set.Card(a.result.Card); card != nil {
		x.lastDimensions(card)
	}
	if set.Version == a.result.SetVersion {
		x.contributeLast()
	}
	return x
}

func (x *Explanation) lastDimensions(card *scorecard.Card) {
	for i := range card.Dimensions {
		d := &card.Dimensions[i]
		s := DimensionShare{Name: d.Name, Weight: d.Weight}
		if n := dimensionOf(d.Name); n >= 0 {
			s.Score = x.Result.Dimensions[n]
		}
		for j := range d.Measures {
			s.Measures = append(s.Measures, MeasureShare{Measure: d.Measures[j].Measure, Weight: d.Measures[j].Weight})
		}
		x.Dimensions = append(x.Dimensions, s)
	}
}

// contributeLast splits the score over the dimensions.
func (x *Explanation) contributeLast() {
	var weights int64
	for i := range x.Dimensions {
		if x.Dimensions[i].Score.Known {
			weights += x.Dimensions[i].Weight
		}
	}
	var pieces []piece
	for i := range x.Dimensions {
		if d := &x.Dimensions[i]; d.Score.Known {
			share := d.Weight * d.Score.Micros
			d.Contribution = share / weights
			pieces = append(pieces, piece{&d.Contribution, share % weights, weights})
		}
	}
	split(pieces, x.Result.Score.Micros)
}
