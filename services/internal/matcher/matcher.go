package matcher

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Errors of matchers that cannot be used.
var (
	// ErrSyntax says that a text is no matcher.
	ErrSyntax = errors.New(`a matcher is field="text", with =, !=, =~ or !~`)
	// ErrField says that alerts have no such field.
	ErrField = errors.New("a field is rule, severity, account_id, source, assignee, owner, segment, plan, stage, band " +
		"or label.NAME")
	// ErrRegexp says that a text is no regular expression.
	ErrRegexp = errors.New("not a regular expression (RE2)")
	// ErrOperator says that there is no such operator.
	ErrOperator = errors.New("no such operator")
)

const (
	equal    = alertv1.Matcher_OPERATOR_EQUAL
	notEqual = alertv1.Matcher_OPERATOR_NOT_EQUAL
	match    = alertv1.Matcher_OPERATOR_MATCH
	notMatch = alertv1.Matcher_OPERATOR_NOT_MATCH
)

// Matcher compares one field. It is immutable.
type Matcher struct {
	field    string
	operator alertv1.Matcher_Operator
	value    string
	pattern  *regexp.Regexp // of match and notMatch
}

// New checks and compiles a matcher of the API.
func New(m *alertv1.Matcher) (Matcher, error) {
	made := Matcher{field: m.GetField(), operator: m.GetOperator(), value: m.GetValue()}
	if made.operator == alertv1.Matcher_OPERATOR_UNSPECIFIED {
		made.operator = equal
	}

	if !known(made.field) {
		return Matcher{}, fmt.Errorf("%w, not %q", ErrField, made.field)
	}

	switch made.operator {
	case alertv1.Matcher_OPERATOR_UNSPECIFIED, equal, notEqual:
	case match, notMatch:
		// Alone first: what is one expression only between our brackets is none.
		if _, err := regexp.Compile(made.value); err != nil {
			return Matcher{}, fmt.Errorf("%w: %q", ErrRegexp, made.value)
		}

		pattern, err := regexp.Compile("^(?:" + made.value + ")$")
		if err != nil {
			return Matcher{}, fmt.Errorf("%w: %q", ErrRegexp, made.value)
		}

		made.pattern = pattern
	default:
		return Matcher{}, fmt.Errorf("%w: %d", ErrOperator, made.operator)
	}

	return made, nil
}

// Parse reads the text form: field="text". The quotes may be left out where the text has no spaces and quotes.
func Parse(text string) (Matcher, error) {
	at := strings.IndexAny(text, "=!")
	if at < 0 {
		return Matcher{}, fmt.Errorf("%w, not %s", ErrSyntax, text)
	}

	field, rest := strings.TrimSpace(text[:at]), text[at:]

	for _, o := range operators() {
		value, ok := strings.CutPrefix(rest, o.sign)
		if !ok {
			continue
		}

		value = strings.TrimSpace(value)
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		} else if strings.ContainsAny(value, "\"' \t\n`") {
			return Matcher{}, fmt.Errorf("%w, not %s", ErrSyntax, text)
		}

		return New(&alertv1.Matcher{Field: field, Operator: o.operator, Value: value})
	}

	return Matcher{}, fmt.Errorf("%w, not %s", ErrSyntax, text)
}

// String is the text form.
func (m Matcher) String() string {
	for _, o := range operators() {
		if o.operator == m.operator {
			return m.field + o.sign + strconv.Quote(m.value)
		}
	}

	return m.field + "=" + strconv.Quote(m.value)
}

// Proto is the matcher as the API has it.
func (m Matcher) Proto() *alertv1.Matcher {
	return &alertv1.Matcher{Field: m.field, Operator: m.operator, Value: m.value}
}

// Matches tells whether the matcher matches an alert.
func (m Matcher) Matches(a *alertv1.Alert) bool {
	value := Field(a, m.field)

	switch m.operator {
	case notEqual:
		return value != m.value
	case match:
		return m.pattern.MatchString(value)
	case notMatch:
		return !m.pattern.MatchString(value)
	case alertv1.Matcher_OPERATOR_UNSPECIFIED, equal:
		return value == m.value
	default:
		return value == m.value
	}
}

// All tells whether all matchers match an alert; none match everything.
func All(matchers []Matcher, a *alertv1.Alert) bool {
	return !slices.ContainsFunc(matchers, func(m Matcher) bool { return !m.Matches(a) })
}

type operator struct {
	sign     string
	operator alertv1.Matcher_Operator
}

// operators with the longer signs first.
func operators() [4]operator {
	return [...]operator{{"!=", notEqual}, {"=~", match}, {"!~", notMatch}, {"=", equal}}
}
