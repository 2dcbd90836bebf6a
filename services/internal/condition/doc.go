// Package condition is the conditions that operators write: CEL expressions that are true or false for a subject.
// It checks them (names, types, worst-case cost, what could differ between two machines) and evaluates them, the
// usual ones without CEL's interpreter. What conditions may ask for is told by those who use it, as Names: nothing
// here knows an account, a scorecard or a rule. Nothing reads a clock.
package condition
