package scorecard

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"hale.dev/services/internal/fixed"
)

// activation answers a condition's questions about one account, each when it is asked.
type activation struct {
	subject  Subject
	measured *measured // nil until a measure is asked for
	traits   *view     // nil until traits are asked for
}

// measured remembers measures: some take long to compute.
type measured struct {
	values Values
	asked  [MeasureCount]bool
}

// Parent is no other activation.
func (a *activation) Parent() cel.Activation { return nil }

// ResolveName returns a variable's value, dots included; false where it has none.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case varStage:
		return types.String(a.subject.Stage()), true
	case varAge:
		return types.Int(a.subject.AgeDays()), true
	case varProfile:
		return newView(profileView{a}), true
	case varMeasures:
		return newView(measuresView{a}), true
	}
	if field, ok := strings.CutPrefix(name, varProfile+"."); ok {
		return found(a.field(field))
	}
	if measure, ok := strings.CutPrefix(name, varMeasures+"."); ok {
		return found(a.measureByName(measure))
	}
	return nil, false
}

// found makes a missing value an untyped nil.
func found(v ref.Val, ok bool) (any, bool) {
	if !ok {
		return nil, false
	}
	return v, true
}

// field is a field of the profile.
func (a *activation) field(name string) (ref.Val, bool) {
	f, ok := fieldByName(name)
	if !ok {
		return nil, false
	}
	switch f.kind {
	case fieldText:
		return types.String(a.subject.ProfileText(name)), true
	case fieldNumber:
		return types.Double(fixed.Float(a.subject.ProfileNumber(name))), true
	case fieldTraits:
		return a.traitsMap(), true
	default:
		return nil, false
	}
}

// measureByName is a measure's value; false where it has no data.
func (a *activation) measureByName(name string) (ref.Val, bool) {
	m, ok := MeasureByName(name)
	if !ok {
		return nil, false
	}
	v := a.measure(m)
	if !v.Known {
		return nil, false
	}
	return types.Double(fixed.Float(v.Micros)), true
}

func (a *activation) measure(m Measure) Value {
	if a.measured == nil {
		a.measured = &measured{}
	}
	if !a.measured.asked[m] {
		a.measured.values[m] = a.subject.Measure(m)
		a.measured.asked[m] = true
	}
	return a.measured.values[m]
}

func (a *activation) traitsMap() *view {
	if a.traits == nil {
		var all traitsView
		a.subject.Traits(func(name string, t Trait) { all = append(all, namedTrait{name, t}) })
		a.traits = newView(all)
	}
	return a.traits
}

// Select returns the first card whose condition holds for an account; a condition that fails while it is
// evaluated does not hold. It is nil only where no card of the set is without a condition, which Parse refuses.
func (s *Set) Select(in Subject) *Card {
	var a *activation
	for _, c := range s.Cards {
		if c.when == nil {
			return c
		}
		if a == nil {
			a = &activation{subject: in}
		}
		if result, _, err := c.when.Eval(a); err == nil && result == types.True {
			return c
		}
	}
	return nil
}
