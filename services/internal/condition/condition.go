package condition

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Condition is a compiled condition. It is immutable and safe for concurrent use.
type Condition[S any] struct {
	in      *Environment[S]
	program cel.Program
	plain   plain[S] // nil: only CEL's interpreter can evaluate it
	cost    uint64
	asks    []string
}

// Eval says whether the condition holds for a subject. One that fails while it is evaluated, as by a value that is
// not there, does not hold, and is not known to.
func (c *Condition[S]) Eval(s S) (holds, known bool) {
	if c.plain == nil {
		return c.Interpret(s)
	}
	o := c.plain(s)
	return o == yes, o != failed
}

// Interpret evaluates the condition by CEL's interpreter alone. The outcome is that of Eval.
func (c *Condition[S]) Interpret(s S) (holds, known bool) {
	result, _, err := c.program.Eval(&activation[S]{in: c.in, subject: s})
	return err == nil && result == types.True, err == nil
}

// Plain says whether Eval does without CEL's interpreter.
func (c *Condition[S]) Plain() bool { return c.plain != nil }

// Cost is the estimated worst case of one evaluation, in CEL's units.
func (c *Condition[S]) Cost() uint64 { return c.cost }

// Asks returns the paths of the names that the condition writes out, in order, each once. It must not be changed.
func (c *Condition[S]) Asks() []string { return c.asks }
