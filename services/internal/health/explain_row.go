package health

import "hale.dev/services/internal/scorecard"

// ExplainRow says what the score of a past day was made of, by the scorecards that made it; false where the row has no
// measures, or set does not hold its scorecard in its version.
func ExplainRow(r *Row, set *scorecard.Set) (Explanation, bool) {
	card := set.Card(r.Card)
	if !r.HasMeasures || card == nil || set.Version != r.SetVersion {
		return Explanation{}, false
	}
	x := Explanation{Day: r.Day, Result: Result{
		Score: r.Score, Band: r.Band, Coverage: r.Coverage, Stage: r.Stage,
		Card: r.Card, SetVersion: r.SetVersion, Dimensions: r.Dimensions,
	}}
	x.explain(card, &r.Measures)
	return x, true
}

// under explains what the score would be by another scorecard; false where none of its measures has data.
func (x *Explanation) under(card *scorecard.Card) (Explanation, bool) {
	y := Explanation{Day: x.Day}
	y.Result.rate(card, &x.Values)
	y.explain(card, &x.Values)
	return y, y.Result.Score.Known
}

// explain fills in the dimensions, with what each measure adds to the score.
func (x *Explanation) explain(card *scorecard.Card, values *scorecard.Values) {
	x.Values = *values
	for i := range card.Dimensions {
		d := &card.Dimensions[i]
		score, _ := rateDimension(d, values)
		s := DimensionShare{Name: d.Name, Score: score, Weight: d.Weight, Measures: make([]MeasureShare, len(d.Measures))}
		for j := range d.Measures {
			w := &d.Measures[j]
			s.Measures[j] = MeasureShare{Measure: w.Measure, Weight: w.Weight, Value: values[w.Measure]}
			if v := values[w.Measure]; v.Known {
				s.Measures[j].Points = known(w.Curve.Points(v.Micros))
			}
		}
		x.Dimensions = append(x.Dimensions, s)
	}
	x.contribute()
}
