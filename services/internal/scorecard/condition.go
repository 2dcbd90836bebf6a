package scorecard

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
)

const (
	maxWhen = 4096 // characters of a condition
	// maxCost bounds the estimated worst case of one evaluation, in CEL's units. One unit takes some 20 ns at
	// most, and every change of an account evaluates its workspace's conditions.
	maxCost = 50_000
)

// environment compiles conditions.
type environment struct{ env *cel.Env }

// newEnvironment declares what conditions may name. Every field is declared twice: as a variable with a dot in
// its name, so that its type is known and only it is computed, and as a part of the map it stands in, for has(),
// in, [] and iteration.
func newEnvironment() (*environment, error) {
	options := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxWhen),
		cel.CrossTypeNumericComparisons(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
		cel.Variable(varStage, cel.StringType),
		cel.Variable(varAge, cel.IntType),
		cel.Variable(varProfile, cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable(varMeasures, cel.MapType(cel.StringType, cel.DoubleType)),
	}
	for _, f := range profileFields {
		options = append(options, cel.Variable(varProfile+"."+f.name, f.kind.celType()))
	}
	for m := range MeasureCount {
		options = append(options, cel.Variable(varMeasures+"."+m.Name(), cel.DoubleType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declaring the variables of conditions: %w", err)
	}
	return &environment{env: env}, nil
}

// refusal is why a condition cannot be used.
type refusal struct{ code, message string }

// compile makes a condition ready to run, or says what is wrong with it.
func (e *environment) compile(expression string) (cel.Program, []refusal) {
	ast, issues := e.env.Compile(expression)
	if issues.Err() != nil {
		return nil, complaints(issues)
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, []refusal{{CodeWhenType, "is of type " + ast.OutputType().String() + ", not bool"}}
	}
	if refusals := inspect(ast.NativeRep().Expr()); len(refusals) > 0 {
		return nil, refusals
	}
	cost, err := e.env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, []refusal{{CodeWhenInvalid, err.Error()}}
	}
	if cost.Max > maxCost {
		return nil, []refusal{{CodeWhenCost, fmt.Sprintf(
			"could cost %d units for one account; at most %d are allowed", cost.Max, maxCost)}}
	}
	program, err := e.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, []refusal{{CodeWhenInvalid, err.Error()}}
	}
	return program, nil
}

// complaints are the compiler's, each with its column.
func complaints(issues *cel.Issues) []refusal {
	refusals := make([]refusal, 0, len(issues.Errors()))
	for _, err := range issues.Errors() {
		code := CodeWhenInvalid
		if strings.HasPrefix(err.Message, "undeclared reference") {
			code = CodeWhenName
		}
		message := strings.TrimSuffix(err.Message, " (in container '')")
		if err.Location != nil && err.Location.Column() >= 0 {
			message = fmt.Sprintf("column %d: %s", err.Location.Column()+1, message)
		}
		refusals = append(refusals, refusal{code, message})
	}
	return refusals
}

// when reads a card's condition. All cards but the last need one.
func (p *parser) when(card node, at keys, last bool) cel.Program {
	n, stated := at["when"]
	switch {
	case last && stated:
		p.reportf(n, CodeWhenOnLast, "the last scorecard takes all that no other took and has no when")
		return nil
	case last:
		return nil
	case !stated:
		p.reportf(card.child(card.Node, "when"), CodeWhenMissing, "only the last scorecard may be without when")
		return nil
	}
	text, ok := p.text(n)
	if !ok {
		return nil
	}
	if p.conditions == nil {
		environment, err := newEnvironment()
		if err != nil {
			p.reportf(n, CodeWhenInvalid, "%v", err)
			return nil
		}
		p.conditions = environment
	}
	program, refusals := p.conditions.compile(text)
	for _, r := range refusals {
		p.reportf(n, r.code, "%s", r.message)
	}
	return program
}
