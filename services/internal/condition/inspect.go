package condition

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"hale.dev/services/internal/document"
)

// inspect looks through a compiled condition for the names it asks for, and for what the compiler allows and Hale does
// not: names that do not exist, and what could differ between two runs or two machines.
func inspect(expression ast.Expr, names *vocabulary, limits Limits) *inspector {
	v := &inspector{names: names, limits: limits}
	ast.PreOrderVisit(expression, ast.NewExprVisitor(v.visit))
	return v
}

type inspector struct {
	names    *vocabulary
	limits   Limits
	refusals []Refusal
	asks     []string
}

func (v *inspector) refuse(reason Reason, message string) {
	v.refusals = append(v.refusals, Refusal{reason, message})
}

func (v *inspector) ask(path string) {
	if _, ok := v.names.places[path]; ok && !slices.Contains(v.asks, path) {
		v.asks = append(v.asks, path)
	}
}

func (v *inspector) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		v.ask(e.AsIdent())
	case ast.SelectKind:
		v.entry(e.AsSelect().Operand(), e.AsSelect().FieldName())
	case ast.CallKind:
		v.call(e.AsCall())
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		v.shadow(c.IterVar())
		v.shadow(c.IterVar2())
	case ast.MapKind, ast.StructKind:
		// Their order of iteration is left open, and a score must not depend on it.
		v.refuse(Invalid, "map and message literals are not allowed")
	case ast.ListKind, ast.LiteralKind, ast.UnspecifiedExprKind:
	}
}

// shadow refuses a loop variable that hides one of ours: names in it could not be checked.
func (v *inspector) shadow(name string) {
	if v.names.taken(name) {
		v.refuse(Invalid, "a loop variable must not be called "+name)
	}
}

// entry checks a name that is looked up in a map.
func (v *inspector) entry(in ast.Expr, name string) {
	if in.Kind() != ast.IdentKind {
		return
	}
	m := v.names.mapping(in.AsIdent())
	switch {
	case m == nil:
	case m.has(name):
		v.ask(m.name + "." + name)
	default:
		v.refuse(UnknownName, m.lacks(name))
	}
}

func (v *inspector) call(c ast.CallExpr) {
	args := c.Args()
	switch c.FunctionName() {
	case operators.Index:
		v.lookup(args[0], args[1])
	case operators.In:
		v.lookup(args[1], args[0])
		if args[1].Kind() == ast.ListKind {
			for _, e := range args[1].AsList().Elements() {
				v.value(args[0], e)
			}
		}
	case operators.Equals, operators.NotEquals:
		v.value(args[0], args[1])
		v.value(args[1], args[0])
	case operators.Divide, operators.Modulo:
		v.divisor(args[1])
	case "matches":
		if args[len(args)-1].Kind() != ast.LiteralKind {
			v.refuse(Invalid, "the pattern of matches must be a literal")
		}
	default:
		if strings.HasPrefix(c.FunctionName(), "get") && len(args) > 0 {
			v.refuse(Invalid, c.FunctionName()+" takes no time zone here: times are UTC")
		}
	}
}

// lookup checks measures["name"] and "name" in measures where the name is written out.
func (v *inspector) lookup(in, key ast.Expr) {
	if key.Kind() == ast.LiteralKind {
		if name, ok := key.AsLiteral().(types.String); ok {
			v.entry(in, string(name))
		}
	}
}

// value checks a literal that a variable with listed values is compared with.
func (v *inspector) value(variable, literal ast.Expr) {
	if variable.Kind() != ast.IdentKind || literal.Kind() != ast.LiteralKind {
		return
	}
	name := variable.AsIdent()
	known, listed := v.names.values[name]
	if !listed {
		return
	}
	if text, ok := literal.AsLiteral().(types.String); ok && !slices.Contains(known, string(text)) {
		v.refuse(UnknownName, "there is no "+name+" "+string(text)+"; "+name+"s are "+document.List(known))
	}
}

// divisor refuses what is zero, or could be.
func (v *inspector) divisor(e ast.Expr) {
	if v.limits.Division {
		return
	}
	if e.Kind() != ast.LiteralKind {
		v.refuse(ZeroDivisor, "divides by what could be zero; divide by a number, or multiply the other side")
		return
	}
	switch e.AsLiteral() {
	case types.Int(0), types.Uint(0), types.Double(0):
		v.refuse(ZeroDivisor, "divides by zero")
	}
}

// sizes bounds what a condition can meet, for the estimate of its cost.
type sizes struct{}

// EstimateSize says how long texts and how large lists and maps can be.
func (sizes) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	const longestText, mostTraits = 1024, 100 // the limits of hale.event.v1
	switch element.Type().Kind() {
	case cel.MapKind:
		return &checker.SizeEstimate{Max: mostTraits}
	case cel.ListKind: // lists come from maps, or stand in the condition
		return &checker.SizeEstimate{Max: MaxLength}
	default:
		return &checker.SizeEstimate{Max: longestText}
	}
}

// EstimateCallCost leaves the cost of functions to CEL.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
