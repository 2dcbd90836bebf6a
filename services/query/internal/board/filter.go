package board

import (
	"slices"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/query/internal/filter"
)

// Filter says which alerts are wanted. It is immutable and safe for concurrent use; nil wants all.
type Filter struct {
	text  string
	match func(*alertv1.Alert) bool
}

// labelPath stands before the name of a label.
const labelPath = "labels."

// heldBy is the field of what holds an alert back: a list, of which one entry has to be wanted.
const heldBy = "held_by"

// ParseFilter compiles a filter in the syntax of AIP-160; empty gives nil. Its error is a *filter.Error.
func ParseFilter(text string) (*Filter, error) {
	root, err := filter.Parse(text)
	if err != nil || root == nil {
		return nil, err
	}

	match, err := filter.Compile(root, leaf)
	if err != nil {
		return nil, err
	}

	return &Filter{text: strings.TrimSpace(text), match: match}, nil
}

// Open is the filter of the alerts that are not over.
func Open() *Filter { return &Filter{match: open} }

func open(a *alertv1.Alert) bool { return a.GetState() != alertv1.State_STATE_RESOLVED }

// Match says whether the filter wants the alert.
func (f *Filter) Match(a *alertv1.Alert) bool { return f == nil || f.match(a) }

// String returns the text that the filter was made of.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}

	return f.text
}

// leaf is what a comparison or a word wants.
func leaf(n *filter.Node) (func(*alertv1.Alert) bool, error) {
	switch n.Sort {
	case filter.NodeCompare:
		return compare(n)
	case filter.NodeWord:
		return word(n)
	case filter.NodeCall:
		return nil, &filter.Error{
			Code: filter.CodeFunction, Offset: n.Left.Start, Message: "there is no function " + n.Left.Text,
		}
	case filter.NodeAnd, filter.NodeOr, filter.NodeNot: // these have leaves
	}

	return nil, filter.Syntax(n.Left.Start, "is no filter")
}

// word wants alerts whose summary, rule, or account contains the word, whatever its case.
func word(n *filter.Node) (func(*alertv1.Alert) bool, error) {
	if n.Left.Text == "" {
		return nil, filter.Syntax(n.Left.Start, "an empty word says nothing")
	}

	has := filter.Containing(strings.Trim(n.Left.Text, "*"))

	return func(a *alertv1.Alert) bool {
		return has(a.GetSummary()) || has(a.GetRule()) || has(a.GetAccountId()) || has(a.GetSubject().GetName())
	}, nil
}

// compare compares a field.
func compare(n *filter.Node) (func(*alertv1.Alert) bool, error) {
	if n.Left.Sort == filter.TokenQuoted {
		return nil, filter.Syntax(n.Left.Start, "a field is written without quotes")
	}

	if name, ok := strings.CutPrefix(n.Left.Text, labelPath); ok && name != "" {
		return compareLabel(n, name)
	}

	if n.Left.Text == heldBy {
		return compareHeld(n)
	}

	f, ok := fieldOf(n.Left.Text)
	if !ok {
		return nil, filter.Unknown(n.Left)
	}

	if filter.Present(n) {
		return f.present, nil
	}

	want, err := filter.Compare(n, &f.Field)

	switch {
	case err != nil:
		return nil, err
	case want.Text != nil:
		return func(a *alertv1.Alert) bool { return want.Text(f.text(a)) }, nil
	default:
		return func(a *alertv1.Alert) bool { return want.Number.Has(f.number(a)) }, nil
	}
}

// present says whether an alert has a value.
func (f *field) present(a *alertv1.Alert) bool {
	if f.text != nil {
		return f.text(a) != ""
	}

	return f.number(a).Known()
}

// compareLabel compares a label of the rule.
func compareLabel(n *filter.Node, name string) (func(*alertv1.Alert) bool, error) {
	if filter.Present(n) {
		return func(a *alertv1.Alert) bool { return a.GetLabels()[name] != "" }, nil
	}

	want, err := filter.Compare(n, &filter.Field{Name: labelPath + name, Kind: filter.KindText})
	if err != nil {
		return nil, err
	}

	return func(a *alertv1.Alert) bool { return want.Text(a.GetLabels()[name]) }, nil
}

// compareHeld compares what holds an alert back.
func compareHeld(n *filter.Node) (func(*alertv1.Alert) bool, error) {
	if filter.Present(n) {
		return func(a *alertv1.Alert) bool { return len(a.GetHeldBy()) > 0 }, nil
	}

	want, err := filter.Compare(n, &filter.Field{Name: heldBy, Kind: filter.KindText})
	if err != nil {
		return nil, err
	}

	return func(a *alertv1.Alert) bool { return slices.ContainsFunc(a.GetHeldBy(), want.Text) }, nil
}
