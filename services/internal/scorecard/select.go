package scorecard

// Select returns the first card whose condition holds for an account; a condition that fails while it is
// evaluated does not hold. It is nil only where no card of the set is without a condition, which Parse refuses.
func (s *Set) Select(in Subject) *Card {
	for _, c := range s.Cards {
		if c.when == nil {
			return c
		}
		if holds, _ := c.when.Eval(in); holds {
			return c
		}
	}
	return nil
}
