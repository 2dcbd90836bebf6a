package column

import (
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/filter"
)

// compareTrait compares one of the sender's own traits. What a trait holds is known only row by row: a text is
// compared as text, a number as a number, a flag as a flag. What cannot be compared with the trait's kind is false.
func compareTrait(n *filter.Node, name string) (compiled, error) {
	if filter.Present(n) {
		return compiled{match: func(r *Row) bool { return r.trait(name) != nil }, cost: costSearch}, nil
	}

	if n.Right.Text == "" {
		return compiled{}, filter.Mistyped(n.Right, "nothing is empty: write NOT traits.%s:* for accounts without one", name)
	}

	text, err := filter.Texts(n)
	if err != nil {
		return compiled{}, err
	}

	number, flag := traitNumber(n), traitFlag(n)

	return compiled{match: func(r *Row) bool {
		t := r.trait(name)
		if t == nil {
			return false
		}

		switch t.Kind {
		case scorecard.TraitText:
			return text(t.Text)
		case scorecard.TraitNumber:
			return number(t.Micros)
		case scorecard.TraitFlag:
			return flag(t.Flag)
		}

		return false
	}, cost: costSearch}, nil
}

// trait returns a trait; nil: the account has none of the name.
func (r *Row) trait(name string) *scorecard.Trait {
	for i := range r.Traits {
		if r.Traits[i].Name == name {
			return &r.Traits[i].Trait
		}
	}

	return nil
}

// traitNumber compares traits that are numbers; text in quotes is none.
func traitNumber(n *filter.Node) func(int64) bool {
	v, ok := filter.ParseNumber(n.Right.Text)
	if !ok || n.Right.Sort == filter.TokenQuoted {
		return func(int64) bool { return false }
	}

	want := v.Interval(n.Operator)

	return func(micros int64) bool { return want.Has(Number(micros)) }
}

// traitFlag compares traits that are flags; text in quotes is none.
func traitFlag(n *filter.Node) func(bool) bool {
	v, ok := filter.ParseFlag(n.Right.Text)
	if !ok || n.Right.Sort == filter.TokenQuoted || filter.Ordered(n.Operator) {
		return func(bool) bool { return false }
	}

	want := (v == 1) == (n.Operator != "!=")

	return func(flag bool) bool { return flag == want }
}
