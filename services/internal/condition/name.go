package condition

import "cel.dev/cel-go/cel"

// Name is something that conditions may ask a subject of type S for. One of the functions is set; it says the type,
// and is asked only where the outcome depends on it.
type Name[S any] struct {
	// Path is the name: "stage", or "measures.nps" for an entry of the map measures.
	Path string
	// Values are the texts there can be; nil: any.
	Values []string

	// Text returns a string.
	Text func(S) string
	// Int returns an int; false: there is none.
	Int func(S) (v int64, known bool)
	// Number returns a double, in millionths; false: there is none.
	Number func(S) (micros int64, known bool)
	// Flag returns a bool.
	Flag func(S) bool
	// Traits calls f for each entry of a map of the sender's own, in order of name.
	Traits func(s S, f func(name string, t Trait))
}

// Trait is a value of the sender's own; the kind says which field holds.
type Trait struct {
	Kind   TraitKind
	Text   string
	Micros int64
	Flag   bool
}

// TraitKind says what a Trait holds.
type TraitKind uint8

// The kinds of trait.
const (
	TraitText TraitKind = iota + 1
	TraitNumber
	TraitFlag
)

// Of makes names of one subject those of another that has it.
func Of[S, T any](names []Name[T], of func(S) T) []Name[S] {
	all := make([]Name[S], len(names))
	for i, n := range names {
		all[i] = Name[S]{Path: n.Path, Values: n.Values}
		if n.Text != nil {
			all[i].Text = func(s S) string { return n.Text(of(s)) }
		}
		if n.Int != nil {
			all[i].Int = func(s S) (int64, bool) { return n.Int(of(s)) }
		}
		if n.Number != nil {
			all[i].Number = func(s S) (int64, bool) { return n.Number(of(s)) }
		}
		if n.Flag != nil {
			all[i].Flag = func(s S) bool { return n.Flag(of(s)) }
		}
		if n.Traits != nil {
			all[i].Traits = func(s S, f func(string, Trait)) { n.Traits(of(s), f) }
		}
	}
	return all
}

// celType is the type of the name in a condition.
func (n *Name[S]) celType() *cel.Type {
	switch {
	case n.Text != nil:
		return cel.StringType
	case n.Int != nil:
		return cel.IntType
	case n.Number != nil:
		return cel.DoubleType
	case n.Flag != nil:
		return cel.BoolType
	default:
		return cel.MapType(cel.StringType, cel.DynType)
	}
}
