package condition

import (
	"cmp"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"hale.dev/services/internal/fixed"
)

// signs is a set of signs of a comparison.
type signs uint8

const (
	below signs = 1 << iota
	same
	above
)

// sign is -1, 0 or 1 as a set.
func sign(c int) signs { return 1 << (c + 1) }

// comparison returns the signs for which an operator holds.
func comparison(operator string) (signs, bool) {
	switch operator {
	case operators.Equals:
		return same, true
	case operators.NotEquals:
		return below | above, true
	case operators.Less:
		return below, true
	case operators.LessEquals:
		return below | same, true
	case operators.Greater:
		return above, true
	case operators.GreaterEquals:
		return above | same, true
	default:
		return 0, false
	}
}

// turned is the signs with the sides changed.
func (s signs) turned() signs {
	turned := s & same
	if s&below != 0 {
		turned |= above
	}
	if s&above != 0 {
		turned |= below
	}
	return turned
}

func (s signs) holds(c int) outcome { return outcomeOf(s&sign(c) != 0) }

// compare is a comparison of a name with a literal, or with another name of the same type.
func (e *Environment[S]) compare(left, right ast.Expr, wanted signs) plain[S] {
	n, m := e.name(left), e.name(right)
	switch {
	case n != nil && m != nil:
		return comparePair(n, m, wanted)
	case n != nil:
		return compareLiteral(n, right, wanted)
	case m != nil:
		return compareLiteral(m, left, wanted.turned())
	default:
		return nil
	}
}

func comparePair[S any](n, m *Name[S], wanted signs) plain[S] {
	switch {
	case n.Text != nil && m.Text != nil:
		return func(s S) outcome { return wanted.holds(cmp.Compare(n.Text(s), m.Text(s))) }
	case n.Number != nil && m.Number != nil:
		return compareKnown(n.Number, m.Number, fixed.Float, wanted)
	case n.Int != nil && m.Int != nil:
		return compareKnown(n.Int, m.Int, func(v int64) int64 { return v }, wanted)
	default:
		return nil
	}
}

// compareKnown compares two names, each made into what is compared.
func compareKnown[S any, V cmp.Ordered](a, b func(S) (int64, bool), as func(int64) V, wanted signs) plain[S] {
	return func(s S) outcome {
		x, known := a(s)
		if !known {
			return failed
		}
		y, known := b(s)
		if !known {
			return failed
		}
		return wanted.holds(cmp.Compare(as(x), as(y)))
	}
}

func compareLiteral[S any](n *Name[S], x ast.Expr, wanted signs) plain[S] {
	switch {
	case n.Text != nil:
		if text, ok := literal[types.String](x); ok {
			return func(s S) outcome { return wanted.holds(cmp.Compare(n.Text(s), string(text))) }
		}
	case n.Flag != nil:
		if flag, ok := literal[types.Bool](x); ok && (wanted == same || wanted == below|above) {
			return func(s S) outcome { return outcomeOf((n.Flag(s) == bool(flag)) == (wanted == same)) }
		}
	case n.Int != nil:
		return compareInt(n.Int, x, wanted)
	case n.Number != nil:
		if number, ok := double(x); ok {
			return func(s S) outcome {
				micros, known := n.Number(s)
				if !known {
					return failed
				}
				return wanted.holds(cmp.Compare(fixed.Float(micros), number))
			}
		}
	}
	return nil
}

func compareInt[S any](get func(S) (int64, bool), x ast.Expr, wanted signs) plain[S] {
	whole, ok := literal[types.Int](x)
	if ok {
		return func(s S) outcome {
			v, known := get(s)
			if !known {
				return failed
			}
			return wanted.holds(cmp.Compare(v, int64(whole)))
		}
	}
	number, ok := literal[types.Double](x)
	if !ok {
		return nil
	}
	return func(s S) outcome {
		v, known := get(s)
		if !known {
			return failed
		}
		return wanted.holds(cmp.Compare(float64(v), float64(number)))
	}
}

// double is a number that is written out, as CEL compares it with a double.
func double(x ast.Expr) (float64, bool) {
	if whole, ok := literal[types.Int](x); ok {
		return float64(whole), true
	}
	number, ok := literal[types.Double](x)
	return float64(number), ok
}
