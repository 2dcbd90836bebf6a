package rule

import "slices"

// Ordered returns the rules about accounts, or those about sources, in the order in which they are judged: each behind
// those that hold it back, else in the order of the document.
func (s *Set) Ordered(onSource bool) []*Rule {
	switch {
	case s.onAccount == nil && s.onSource == nil:
		return s.order(onSource) // not made by Parse
	case onSource:
		return s.onSource
	default:
		return s.onAccount
	}
}

func (s *Set) order(onSource bool) []*Rule {
	ordered := make([]*Rule, 0, len(s.Rules))
	var add func(one *Rule)
	add = func(one *Rule) {
		if one == nil || one.OnSource != onSource || slices.Contains(ordered, one) {
			return
		}
		for _, name := range one.InhibitedBy {
			add(s.Rule(name))
		}
		ordered = append(ordered, one)
	}
	for _, one := range s.Rules {
		add(one)
	}
	return ordered
}
