package scorecard

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// stages an account can be in.
//
//nolint:gochecknoglobals // a constant table
var stages = []string{"onboarding", "adopting", "steady", "renewal", "churned"}

// inspect looks through a compiled condition for what the compiler allows and Hale does not: names that do
// not exist, and what could differ between two runs or two machines.
func inspect(expression ast.Expr) []refusal {
	v := &inspector{}
	ast.PreOrderVisit(expression, ast.NewExprVisitor(v.visit))
	return v.refusals
}

type inspector struct{ refusals []refusal }

func (v *inspector) refuse(code, message string) {
	v.refusals = append(v.refusals, refusal{code, message})
}

func (v *inspector) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		v.name(e.AsSelect().Operand(), e.AsSelect().FieldName())
	case ast.CallKind:
		v.call(e.AsCall())
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		v.shadow(c.IterVar())
		v.shadow(c.IterVar2())
	case ast.MapKind, ast.StructKind:
		// Their order of iteration is left open, and a score must not depend on it.
		v.refuse(CodeWhenInvalid, "map and message literals are not allowed")
	case ast.IdentKind, ast.ListKind, ast.LiteralKind, ast.UnspecifiedExprKind:
	}
}

// shadow refuses a loop variable that hides one of ours: names in it could not be checked.
func (v *inspector) shadow(name string) {
	if slices.Contains([]string{varStage, varAge, varProfile, varMeasures}, name) {
		v.refuse(CodeWhenInvalid, "a loop variable must not be called "+name)
	}
}

// name checks a name that is looked up in profile or measures.
func (v *inspector) name(in ast.Expr, name string) {
	if in.Kind() != ast.IdentKind {
		return
	}
	switch in.AsIdent() {
	case varProfile:
		if _, ok := fieldByName(name); !ok {
			v.refuse(CodeWhenName, "profile has no field "+name)
		}
	case varMeasures:
		if _, ok := MeasureByName(name); !ok {
			v.refuse(CodeWhenName, "there is no measure "+name)
		}
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
				v.stage(args[0], e)
			}
		}
	case operators.Equals, operators.NotEquals:
		v.stage(args[0], args[1])
		v.stage(args[1], args[0])
	case "matches":
		if args[len(args)-1].Kind() != ast.LiteralKind {
			v.refuse(CodeWhenInvalid, "the pattern of matches must be a literal")
		}
	default:
		if strings.HasPrefix(c.FunctionName(), "get") && len(args) > 0 {
			v.refuse(CodeWhenInvalid, c.FunctionName()+" takes no time zone here: times are UTC")
		}
	}
}

// lookup checks measures["name"] and "name" in measures where the name is written out.
func (v *inspector) lookup(in, key ast.Expr) {
	if key.Kind() == ast.LiteralKind {
		if name, ok := key.AsLiteral().(types.String); ok {
			v.name(in, string(name))
		}
	}
}

// stage checks a literal that the stage is compared with.
func (v *inspector) stage(variable, literal ast.Expr) {
	if variable.Kind() != ast.IdentKind || variable.AsIdent() != varStage || literal.Kind() != ast.LiteralKind {
		return
	}
	if name, ok := literal.AsLiteral().(types.String); ok && !slices.Contains(stages, string(name)) {
		v.refuse(CodeWhenName, "there is no stage "+string(name)+"; stages are "+list(stages))
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
		return &checker.SizeEstimate{Max: maxWhen}
	default:
		return &checker.SizeEstimate{Max: longestText}
	}
}

// EstimateCallCost leaves the cost of functions to CEL.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
