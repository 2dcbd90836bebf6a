package filter

import (
	"time"

	"hale.dev/services/internal/health"
)

// Kind says what the values of a field are.
type Kind uint8

// The kinds of fields.
const (
	// KindText is text.
	KindText Kind = iota + 1
	// KindNumber counts in micros.
	KindNumber
	// KindDay is a day of the calendar.
	KindDay
	// KindName is one of a few names, such as a band.
	KindName
	// KindFlag is true or false, 1 or 0.
	KindFlag
	// KindTime is an instant, in microseconds since 1970.
	KindTime
)

// Field is what comparisons know of a field.
type Field struct {
	Name string
	Kind Kind
	// Least, unless it is 0: what is below it is known, but neither more nor less than anything.
	Least Number
	// Names are the values of KindName by name.
	Names func(name string) (Number, bool)
}

// Test is what a comparison wants of a value. Exactly one of both is set.
type Test struct {
	// Text wants texts; never an empty one.
	Text func(string) bool
	// Number wants numbers; never None.
	Number *Interval
}

// Present says whether a comparison asks whether there is a value at all: field:*.
func Present(n *Node) bool {
	return n.Operator == ":" && n.Right.Sort == TokenWord && n.Right.Text == "*"
}

// Compare says what a comparison wants of its field. It is not Present. Its error is an *Error.
func Compare(n *Node, f *Field) (Test, error) {
	switch f.Kind {
	case KindText:
		return compareText(n, f)
	case KindNumber:
		v, ok := ParseNumber(n.Right.Text)
		if !ok {
			return Test{}, Mistyped(n.Right, "%s is compared with a number such as 40 or -2.5", f.Name)
		}

		return numbers(v.Interval(n.Operator)), nil
	case KindDay:
		d, ok := health.ParseDay(n.Right.Text)
		if !ok {
			return Test{}, Mistyped(n.Right, "%s is compared with a day written YYYY-MM-DD", f.Name)
		}

		return numbers(interval(n.Operator, Number(d), false)), nil
	case KindTime:
		return compareTime(n, f)
	case KindName:
		return compareName(n, f)
	case KindFlag:
		return compareFlag(n, f)
	}

	return Test{}, Mistyped(n.Left, "%s cannot be compared", n.Left.Text)
}

func numbers(i Interval) Test { return Test{Number: &i} }

func compareText(n *Node, f *Field) (Test, error) {
	if n.Right.Text == "" {
		return Test{}, Mistyped(n.Right, "nothing is empty: write NOT %s:* for accounts without one", f.Name)
	}

	match, err := Texts(n)

	return Test{Text: match}, err
}

// compareTime compares with an instant, or with a day as a whole.
func compareTime(n *Node, f *Field) (Test, error) {
	if d, ok := health.ParseDay(n.Right.Text); ok {
		from := Number(d) * Number(24*time.Hour/time.Microsecond)
		to := from + Number(24*time.Hour/time.Microsecond) - 1

		switch n.Operator {
		case "<":
			return numbers(interval("<", from, false)), nil
		case ">":
			return numbers(interval(">", to, false)), nil
		case "<=":
			return numbers(interval("<=", to, false)), nil
		case ">=":
			return numbers(interval(">=", from, false)), nil
		}

		return numbers(Interval{Low: from, High: to, Outside: n.Operator == "!="}), nil
	}

	at, err := time.Parse(time.RFC3339Nano, n.Right.Text)
	if err != nil {
		return Test{}, Mistyped(n.Right, "%s is compared with a day written YYYY-MM-DD, or a time in quotes such as "+
			`"2026-03-10T12:00:00Z"`, f.Name)
	}

	return numbers(interval(n.Operator, Number(at.UnixMicro()), false)), nil
}

func compareFlag(n *Node, f *Field) (Test, error) {
	flag, ok := ParseFlag(n.Right.Text)

	switch {
	case !ok:
		return Test{}, Mistyped(n.Right, "%s is compared with true or false", f.Name)
	case Ordered(n.Operator):
		return Test{}, Mistyped(n.Right, "%s is neither more nor less than something", f.Name)
	}

	return numbers(interval(n.Operator, flag, false)), nil
}

func compareName(n *Node, f *Field) (Test, error) {
	v, ok := f.Names(n.Right.Text)

	switch {
	case !ok:
		return Test{}, Mistyped(n.Right, "there is no %s %q", f.Name, n.Right.Text)
	case !Ordered(n.Operator):
		return numbers(interval(n.Operator, v, false)), nil
	case v < f.Least:
		return Test{}, Mistyped(n.Right, "nothing is more or less than the %s %s", n.Right.Text, f.Name)
	}

	want := interval(n.Operator, v, false)
	if f.Least != 0 {
		want.Low = max(want.Low, f.Least)
	}

	return numbers(want), nil
}

// Ordered says whether an operator is about more and less.
func Ordered(operator string) bool { return operator[0] == '<' || operator[0] == '>' }

// ParseFlag reads true or false.
func ParseFlag(text string) (Number, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}

	return 0, false
}
