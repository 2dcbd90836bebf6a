package health

import (
	"slices"

	"hale.dev/services/internal/scorecard"
)

// SourceSet is a set of sources, bit by bit.
type SourceSet uint8

// Has reports whether a source is in the set.
func (s SourceSet) Has(one Source) bool { return s&(1<<one) != 0 }

// still is what stands still while sources are silent: the values that measures had before.
type still struct {
	measures uint32 // those that stand still, bit by bit
	values   scorecard.Values
}

// sourcesOf are the sources whose silence lets a measure stand still: the table in docs/alerts.md.
func sourcesOf(m scorecard.Measure) SourceSet {
	set := SourceSet(1 << SourceOf(m))
	if slices.Contains(seenMeasures(), m) {
		set |= 1 << SourceLogin
	}
	return set
}

// seenMeasures are made of users who were seen, by usage or login.
func seenMeasures() []scorecard.Measure {
	return []scorecard.Measure{
		scorecard.ActiveUsers, scorecard.Stickiness, scorecard.DaysSinceSeen, scorecard.ChampionSeen,
	}
}

// Silent returns the sources that the account takes for silent.
func (a *Account) Silent() SourceSet { return a.alerting.silent }

// Still reports whether a measure stands still because a source of it is silent.
func (a *Account) Still(m scorecard.Measure) bool {
	return a.alerting.still != nil && a.alerting.still.measures&(1<<m) != 0
}

// SetSilent says which sources are silent: their measures keep the values they have now, and those of the others are
// measured again. It asks for an evaluation.
func (a *Account) SetSilent(silent SourceSet, set *scorecard.Set) {
	g := &a.alerting
	if silent == g.silent {
		return
	}
	a.refresh()
	now, next := a.measures(a.milestones(set)), &still{}
	for m := range scorecard.MeasureCount {
		if sourcesOf(m)&silent != 0 {
			next.measures |= 1 << m
			next.values[m] = now[m]
		}
	}
	g.silent, g.still = silent, next
	if silent == 0 {
		g.still = nil
	}
	a.dirty = true
}

// hold puts the values that stand still in place of the measured ones.
func (s *still) hold(v *scorecard.Values) {
	if s == nil {
		return
	}
	for m := range v {
		if s.measures&(1<<m) != 0 {
			v[m] = s.values[m]
		}
	}
}

func (s *still) encode(w *writer) {
	var knowns uint32
	for m := range s.values {
		if s.values[m].Known {
			knowns |= 1 << m
		}
	}
	w.uint(uint64(s.measures))
	w.uint(uint64(knowns))
	for m := range s.values {
		if s.values[m].Known {
			w.amount(s.values[m].Micros)
		}
	}
}

func decodeStill(r *reader) *still {
	measures, knowns := r.uint(), r.uint()
	if measures>>scorecard.MeasureCount != 0 || knowns&^measures != 0 {
		r.fail()
	}
	s := &still{measures: uint32(measures)} //nolint:gosec // checked
	for m := range s.values {
		if knowns&(1<<m) != 0 {
			s.values[m] = known(r.amount())
		}
	}
	return s
}
