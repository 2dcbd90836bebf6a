package scorecard

// remembering is a subject that remembers its measures: some take long to compute.
type remembering struct {
	Subject

	values Values
	asked  [MeasureCount]bool
}

// Measure returns a measure's value.
func (r *remembering) Measure(m Measure) Value {
	if !r.asked[m] {
		r.values[m] = r.Subject.Measure(m)
		r.asked[m] = true
	}
	return r.values[m]
}

// Select returns the first card whose condition holds for an account; a condition that fails while it is
// evaluated does not hold. It is nil only where no card of the set is without a condition, which Parse refuses.
func (s *Set) Select(in Subject) *Card {
	var r *remembering
	for _, c := range s.Cards {
		if c.when == nil {
			return c
		}
		if r == nil {
			r = &remembering{Subject: in}
		}
		if holds, _ := c.when.Eval(r); holds {
			return c
		}
	}
	return nil
}
