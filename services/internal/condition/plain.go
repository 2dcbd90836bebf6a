package condition

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// outcome is what a condition comes to.
type outcome uint8

const (
	failed outcome = iota
	no
	yes
)

func outcomeOf(b bool) outcome {
	if b {
		return yes
	}
	return no
}

// plain is a condition, or a part of one, as a Go function: no interpreter, no allocation. Most conditions are
// comparisons of names with literals, joined by && || and !; CEL says what they mean, and a test compares the two.
type plain[S any] func(S) outcome

// plain compiles what it can; nil: it needs CEL.
func (e *Environment[S]) plain(x ast.Expr) plain[S] {
	switch x.Kind() {
	case ast.LiteralKind:
		if b, ok := x.AsLiteral().(types.Bool); ok {
			return func(S) outcome { return outcomeOf(bool(b)) }
		}
	case ast.IdentKind:
		if n := e.name(x); n != nil && n.Flag != nil {
			return func(s S) outcome { return outcomeOf(n.Flag(s)) }
		}
	case ast.SelectKind:
		if s := x.AsSelect(); s.IsTestOnly() && s.Operand().Kind() == ast.IdentKind {
			return e.presence(s.Operand().AsIdent(), s.FieldName())
		}
	case ast.CallKind:
		return e.plainCall(x.AsCall())
	case ast.ComprehensionKind, ast.ListKind, ast.MapKind, ast.StructKind, ast.UnspecifiedExprKind:
	}
	return nil
}

// name is what an expression names; nil: nothing.
func (e *Environment[S]) name(x ast.Expr) *Name[S] {
	if x.Kind() != ast.IdentKind {
		return nil
	}
	if place, ok := e.vocabulary.places[x.AsIdent()]; ok {
		return &e.names[place]
	}
	return nil
}

// presence is has(in.entry).
func (e *Environment[S]) presence(in, entry string) plain[S] {
	place, ok := e.vocabulary.places[in+"."+entry]
	if !ok {
		return nil
	}
	known := e.names[place].Number
	if known == nil {
		known = e.names[place].Int
	}
	if known == nil { // always there
		return func(S) outcome { return yes }
	}
	return func(s S) outcome {
		_, ok := known(s)
		return outcomeOf(ok)
	}
}

func (e *Environment[S]) plainCall(c ast.CallExpr) plain[S] {
	args := c.Args()
	switch c.FunctionName() {
	case operators.LogicalAnd:
		return join(e.plain(args[0]), e.plain(args[1]), no)
	case operators.LogicalOr:
		return join(e.plain(args[0]), e.plain(args[1]), yes)
	case operators.LogicalNot:
		return not(e.plain(args[0]))
	case operators.In:
		return e.in(args[0], args[1])
	}
	if wanted, ok := comparison(c.FunctionName()); ok {
		return e.compare(args[0], args[1], wanted)
	}
	return nil
}

// join is && where no decides, and || where yes does: as in CEL, a side that decides does so even if the other fails.
func join[S any](a, b plain[S], decides outcome) plain[S] {
	if a == nil || b == nil {
		return nil
	}
	return func(s S) outcome {
		first := a(s)
		if first == decides {
			return decides
		}
		second := b(s)
		if second == decides || first != failed {
			return second
		}
		return failed
	}
}

func not[S any](a plain[S]) plain[S] {
	if a == nil {
		return nil
	}
	return func(s S) outcome {
		switch a(s) {
		case yes:
			return no
		case no:
			return yes
		case failed:
			return failed
		default:
			return failed
		}
	}
}

// in is a text in a list of literals.
func (e *Environment[S]) in(x, list ast.Expr) plain[S] {
	n := e.name(x)
	if n == nil || n.Text == nil || list.Kind() != ast.ListKind {
		return nil
	}
	elements := list.AsList().Elements()
	texts := make([]string, 0, len(elements))
	for _, element := range elements {
		text, ok := literal[types.String](element)
		if !ok {
			return nil
		}
		texts = append(texts, string(text))
	}
	return func(s S) outcome { return outcomeOf(slices.Contains(texts, n.Text(s))) }
}

// literal is the value of a literal of type V.
func literal[V any](x ast.Expr) (V, bool) {
	if x.Kind() != ast.LiteralKind {
		var none V
		return none, false
	}
	v, ok := x.AsLiteral().(V)
	return v, ok
}
