package condition

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
)

// MaxLength is the most characters a condition may have.
const MaxLength = 4096

// Limits bounds what conditions may do.
type Limits struct {
	// Cost bounds the estimated worst case of one evaluation, in CEL's units. One unit takes some 20 ns at most.
	Cost uint64
	// Division is whether a divisor may be zero; the condition then fails.
	Division bool
}

// Environment compiles conditions about subjects of type S. It is safe for concurrent use.
type Environment[S any] struct {
	env        *cel.Env
	names      []Name[S]
	vocabulary vocabulary
	limits     Limits
}

// New declares what conditions may name. A name with a dot is declared twice: as a variable, so that its type is
// known and only it is computed, and as an entry of the map it stands in, for has(), in, [] and iteration.
func New[S any](names []Name[S], limits Limits) (*Environment[S], error) {
	e := &Environment[S]{names: names, vocabulary: newVocabulary(names), limits: limits}
	options := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(MaxLength),
		cel.CrossTypeNumericComparisons(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	}
	for i := range names {
		options = append(options, cel.Variable(names[i].Path, names[i].celType()))
	}
	for _, m := range e.vocabulary.maps {
		of := cel.DynType
		if m.numbers {
			of = cel.DoubleType
		}
		options = append(options, cel.Variable(m.name, cel.MapType(cel.StringType, of)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declaring the variables of conditions: %w", err)
	}
	e.env = env
	return e, nil
}

// Reason is why a condition cannot be used.
type Reason uint8

// The reasons.
const (
	Invalid     Reason = iota // it does not compile, or uses what is not allowed
	NotBool                   // it is not true or false
	UnknownName               // it names what does not exist
	TooCostly                 // it could take too long
	ZeroDivisor               // it divides by what is, or could be, zero
)

// Refusal is one thing wrong with a condition.
type Refusal struct {
	Reason Reason
	// Message says what, for a person.
	Message string
}

// Compile makes a condition ready to be evaluated, or says what is wrong with it.
func (e *Environment[S]) Compile(expression string) (*Condition[S], []Refusal) {
	checked, issues := e.env.Compile(expression)
	if issues.Err() != nil {
		return nil, complaints(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, []Refusal{{NotBool, "is of type " + checked.OutputType().String() + ", not bool"}}
	}
	expr := checked.NativeRep().Expr()
	seen := inspect(expr, &e.vocabulary, e.limits)
	if len(seen.refusals) > 0 {
		return nil, seen.refusals
	}
	cost, err := e.env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, []Refusal{{Invalid, err.Error()}}
	}
	if cost.Max > e.limits.Cost {
		return nil, []Refusal{{TooCostly, fmt.Sprintf(
			"could cost %d units for one account; at most %d are allowed", cost.Max, e.limits.Cost)}}
	}
	program, err := e.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, []Refusal{{Invalid, err.Error()}}
	}
	return &Condition[S]{in: e, program: program, plain: e.plain(expr), cost: cost.Max, asks: seen.asks}, nil
}

// complaints are the compiler's, each with its column.
func complaints(issues *cel.Issues) []Refusal {
	refusals := make([]Refusal, 0, len(issues.Errors()))
	for _, err := range issues.Errors() {
		reason := Invalid
		if strings.HasPrefix(err.Message, "undeclared reference") {
			reason = UnknownName
		}
		message := strings.TrimSuffix(err.Message, " (in container '')")
		if err.Location != nil && err.Location.Column() >= 0 {
			message = fmt.Sprintf("column %d: %s", err.Location.Column()+1, message)
		}
		refusals = append(refusals, Refusal{reason, message})
	}
	return refusals
}
