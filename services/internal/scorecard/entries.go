package scorecard

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"hale.dev/services/internal/fixed"
)

// profileView is `profile`: every field is there, set or not.
type profileView struct{ *activation }

func (v profileView) names() []string {
	names := make([]string, len(profileFields))
	for i, f := range profileFields {
		names[i] = f.name
	}
	return names
}

func (v profileView) find(name string) (ref.Val, bool) { return v.field(name) }

// measuresView is `measures`: those that have data.
type measuresView struct{ *activation }

func (v measuresView) names() []string {
	names := make([]string, 0, MeasureCount)
	for m := range MeasureCount {
		if v.measure(m).Known {
			names = append(names, m.Name())
		}
	}
	return names
}

func (v measuresView) find(name string) (ref.Val, bool) { return v.measureByName(name) }

// traitsView is `profile.traits`.
type traitsView []namedTrait

type namedTrait struct {
	name  string
	trait Trait
}

func (v traitsView) names() []string {
	names := make([]string, len(v))
	for i, t := range v {
		names[i] = t.name
	}
	return names
}

func (v traitsView) find(name string) (ref.Val, bool) {
	for _, t := range v {
		if t.name != name {
			continue
		}
		switch t.trait.Kind {
		case TraitText:
			return types.String(t.trait.Text), true
		case TraitNumber:
			return types.Double(fixed.Float(t.trait.Micros)), true
		case TraitFlag:
			return types.Bool(t.trait.Flag), true
		}
	}
	return nil, false
}
