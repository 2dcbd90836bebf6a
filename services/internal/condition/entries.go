package condition

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"hale.dev/services/internal/fixed"
)

// mapView is a map of names: those that have a value.
type mapView[S any] struct {
	*activation[S]

	of *mapping
}

func (v mapView[S]) names() []string {
	names := make([]string, 0, len(v.of.entries))
	for _, entry := range v.of.entries {
		if _, ok := v.find(entry); ok {
			names = append(names, entry)
		}
	}
	return names
}

func (v mapView[S]) find(entry string) (ref.Val, bool) {
	if !v.of.has(entry) {
		return nil, false
	}
	return v.value(v.in.vocabulary.places[v.of.name+"."+entry])
}

// traitsView is a map of the sender's own.
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
