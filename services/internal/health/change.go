package health

import "hale.dev/services/internal/scorecard"

// Change splits the change of a score between two times. Scorecard and the changes of all measures add up to Total.
type Change struct {
	// Total is the change of the score, in micros; unknown where one of the two times has no score.
	Total scorecard.Value
	// Scorecard is what of it another scorecard, or another version, made.
	Scorecard int64
	// Dimensions in scorecard order: those of the earlier time, then what the later one has besides.
	Dimensions []DimensionChange
}

// DimensionChange is a dimension's share of a change: the sum of its measures'.
type DimensionChange struct {
	Name     string
	Change   int64
	Measures []MeasureChange
}

// MeasureChange is a measure's share of a change.
type MeasureChange struct {
	Measure scorecard.Measure
	// Change of what it adds to the score, in micros.
	Change int64
	// From and To are its values at the two times.
	From, To scorecard.Value
}

// Split splits the change from one explained score to a later one. earlier is the scorecard that made the first.
//
// Under one scorecard a measure's share is the difference of its two contributions. If the scorecard changed, the later
// values are first looked at with the earlier scorecard: up to there the measures made the change, the
// rest made the scorecard. Where the later values give no score by the earlier scorecard, all is the scorecard's. The
// later values stay as the later scorecard's absence rule sees them.
func Split(from, to *Explanation, earlier *scorecard.Card) Change {
	var c Change
	for _, x := range []*Explanation{from, to} {
		c.values(x, func(m *MeasureChange, s *MeasureShare) { m.From, m.To = from.Values[s.Measure], to.Values[s.Measure] })
	}
	if !from.Result.Score.Known || !to.Result.Score.Known {
		return c
	}
	c.Total = known(to.Result.Score.Micros - from.Result.Score.Micros)
	last := to
	if from.Result.Card != to.Result.Card || from.Result.SetVersion != to.Result.SetVersion {
		between, ok := to.under(earlier)
		if !ok {
			c.Scorecard = c.Total.Micros
			return c
		}
		c.Scorecard = to.Result.Score.Micros - between.Result.Score.Micros
		last = &between
	}
	c.values(from, func(m *MeasureChange, s *MeasureShare) { m.Change -= s.Contribution })
	c.values(last, func(m *MeasureChange, s *MeasureShare) { m.Change += s.Contribution })
	for i := range c.Dimensions {
		for j := range c.Dimensions[i].Measures {
			c.Dimensions[i].Change += c.Dimensions[i].Measures[j].Change
		}
	}
	return c
}

// values calls f for each measure of an explanation, with its line of the change.
func (c *Change) values(x *Explanation, f func(*MeasureChange, *MeasureShare)) {
	for i := range x.Dimensions {
		d := &x.Dimensions[i]
		for j := range d.Measures {
			f(c.line(d.Name, d.Measures[j].Measure), &d.Measures[j])
		}
	}
}

// line returns the line of a measure in a dimension, added if need be.
func (c *Change) line(dimension string, m scorecard.Measure) *MeasureChange {
	var d *DimensionChange
	for i := range c.Dimensions {
		if c.Dimensions[i].Name == dimension {
			d = &c.Dimensions[i]
		}
	}
	if d == nil {
		c.Dimensions = append(c.Dimensions, DimensionChange{Name: dimension})
		d = &c.Dimensions[len(c.Dimensions)-1]
	}
	for i := range d.Measures {
		if d.Measures[i].Measure == m {
			return &d.Measures[i]
		}
	}
	d.Measures = append(d.Measures, MeasureChange{Measure: m})
	return &d.Measures[len(d.Measures)-1]
}
