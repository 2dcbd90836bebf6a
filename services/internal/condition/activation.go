package condition

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"hale.dev/services/internal/fixed"
)

// activation answers a condition's questions about one subject, each when it is asked.
type activation[S any] struct {
	in       *Environment[S]
	subject  S
	traits   *view    // nil until traits are asked for
	traitsOf *Name[S] // whose they are
}

// Parent is no other activation.
func (a *activation[S]) Parent() cel.Activation { return nil }

// ResolveName returns a variable's value, dots included; false where it has none.
func (a *activation[S]) ResolveName(name string) (any, bool) {
	if place, ok := a.in.vocabulary.places[name]; ok {
		v, ok := a.value(place)
		if !ok {
			return nil, false // not a typed nil
		}
		return v, true
	}
	if m := a.in.vocabulary.mapping(name); m != nil {
		return newView(mapView[S]{a, m}), true
	}
	return nil, false
}

// value is that of a name; false where there is none.
func (a *activation[S]) value(place int) (ref.Val, bool) {
	n := &a.in.names[place]
	switch {
	case n.Text != nil:
		return types.String(n.Text(a.subject)), true
	case n.Int != nil:
		v, known := n.Int(a.subject)
		return types.Int(v), known
	case n.Number != nil:
		v, known := n.Number(a.subject)
		return types.Double(fixed.Float(v)), known
	case n.Flag != nil:
		return types.Bool(n.Flag(a.subject)), true
	case n.Traits != nil:
		return a.traitsMap(n), true
	default:
		return nil, false
	}
}

func (a *activation[S]) traitsMap(n *Name[S]) *view {
	if a.traits == nil || a.traitsOf != n {
		var all traitsView
		n.Traits(a.subject, func(name string, t Trait) { all = append(all, namedTrait{name, t}) })
		a.traits, a.traitsOf = newView(all), n
	}
	return a.traits
}
