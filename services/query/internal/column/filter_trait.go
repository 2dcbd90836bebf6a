package column

import "hale.dev/services/internal/scorecard"

// compareTrait compares one of the sender's own traits. What a trait holds is known only row by row: a text is
// compared as text, a number as a number, a flag as a flag. What cannot be compared with the trait's kind is false.
func compareTrait(n *node, name string) (compiled, error) {
	if n.operator == ":" && n.right.sort == tokenWord && n.right.text == "*" {
		return compiled{match: func(r *Row) bool { return r.trait(name) != nil }, cost: costSearch}, nil
	}

	if n.right.text == "" {
		return compiled{}, mistyped(n.right, "nothing is empty: write NOT traits.%s:* for accounts without one", name)
	}

	text, err := texts(n)
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
func traitNumber(n *node) func(int64) bool {
	v, ok := parseNumber(n.right.text)
	if !ok || n.right.sort == tokenQuoted {
		return func(int64) bool { return false }
	}

	want := v.interval(n.operator)

	return func(micros int64) bool { return want.has(Number(micros)) }
}

// traitFlag compares traits that are flags; text in quotes is none.
func traitFlag(n *node) func(bool) bool {
	v, ok := parseFlag(n.right.text)
	if !ok || n.right.sort == tokenQuoted || ordered(n.operator) {
		return func(bool) bool { return false }
	}

	want := (v == 1) == (n.operator != "!=")

	return func(flag bool) bool { return flag == want }
}
