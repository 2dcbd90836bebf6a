package scorecard

import "hale.dev/services/internal/condition"

// Source is a kind of event whose absence can count.
type Source uint8

// The sources that a scorecard may list as connected; they are bits of a set.
const (
	SourceUsage Source = 1 << iota
	SourceLogin
	SourceTicket
)

// Set is a workspace's compiled scorecards document. It is immutable and safe for concurrent use.
type Set struct {
	// Version is the revision of the document; 0 is the shipped one.
	Version uint64
	// Milestones of the workspace, in order.
	Milestones []Milestone
	// Cards in order; the last has no condition.
	Cards []*Card
}

// Card returns the scorecard of that name; nil: there is none.
func (s *Set) Card(name string) *Card {
	for _, c := range s.Cards {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Milestone is a feature that an account should have used by a day of its life.
type Milestone struct {
	Feature string
	// DueDay is the age, in days, from which the milestone is due.
	DueDay int32
}

// Card says which measures count, with which curve and weight.
type Card struct {
	Name       string
	Connected  Source // bit set
	Dimensions []Dimension

	when *condition.Condition[Subject] // nil: holds for every account
}

// Dimension is a named group of measures; its weight is the sum of theirs.
type Dimension struct {
	Name     string
	Weight   int64 // percent, whole
	Measures []Weighted
}

// Weighted is a measure in a dimension.
type Weighted struct {
	Measure Measure
	Weight  int64 // percent, whole
	Curve   Curve
}

// Point is a bend of a curve: X in micros of the measure's unit, Y in micros of points.
type Point struct{ X, Y int64 }

// Curve turns a measure's value into points: straight lines between its points, flat outside.
type Curve []Point

// Trait is one of the sender's own values of an account; the kind says which field holds.
type Trait = condition.Trait

// TraitKind says what a Trait holds.
type TraitKind = condition.TraitKind

// The kinds of trait.
const (
	TraitText   = condition.TraitText
	TraitNumber = condition.TraitNumber
	TraitFlag   = condition.TraitFlag
)

// Subject is what conditions look at; the account implements it. Values are those of today.
type Subject interface {
	// Stage is the account's stage, for example "onboarding".
	Stage() string
	// AgeDays is the account's age in days.
	AgeDays() int64
	// ProfileText returns name, plan, currency, owner, segment, industry, parent, created_date or
	// renewal_date; empty if unset.
	ProfileText(field string) string
	// ProfileNumber returns arr, seats or term_days in micros; 0 if unset.
	ProfileNumber(field string) int64
	// Traits calls f for each trait, in order of name.
	Traits(f func(name string, t Trait))
	// Measure returns a measure's value without the absence rule. Every condition that needs it asks for it: a subject that
	// has to compute it remembers it.
	Measure(m Measure) Value
}
