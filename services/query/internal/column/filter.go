package column

import "fmt"

// Filter says which rows a list wants. It is immutable and safe for concurrent use; nil wants all.
type Filter struct {
	text  string
	match predicate
	// spans hold for every row that the filter wants; any may be used to find candidates.
	spans []span
	// size is how many comparisons the filter is made of, those of segments included.
	size int
	// cost is how dear match is.
	cost int
}

// predicate says whether something holds for a row.
type predicate func(*Row) bool

const (
	// maxText is how many bytes a filter may have.
	maxText = 4096
	// maxDepth is how deep parentheses and negations may be nested.
	maxDepth = 32
	// maxSize is how many comparisons a filter may be made of, those of segments included.
	maxSize = 512
)

// FilterError is returned for a filter that cannot be used.
type FilterError struct {
	// Code is stable, for example "filter.unknown_field".
	Code string
	// Offset is the byte in the filter at which the trouble begins.
	Offset int
	// Message is for a person.
	Message string
}

// The codes of a FilterError.
const (
	// CodeSyntax: the text is no filter.
	CodeSyntax = "filter.syntax"
	// CodeField: there is no such field.
	CodeField = "filter.unknown_field"
	// CodeFunction: there is no such function.
	CodeFunction = "filter.unknown_function"
	// CodeSegment: there is no such segment.
	CodeSegment = "filter.unknown_segment"
	// CodeType: the field cannot be compared like that.
	CodeType = "filter.type"
	// CodeLong: the text has too many bytes.
	CodeLong = "filter.too_long"
	// CodeDeep: parentheses and negations are nested too deep.
	CodeDeep = "filter.too_deep"
	// CodeLarge: there are too many comparisons.
	CodeLarge = "filter.too_large"
)

// Error implements error.
func (e *FilterError) Error() string { return fmt.Sprintf("at %d: %s", e.Offset, e.Message) }

// ParseFilter compiles a filter in the syntax of AIP-160; empty gives nil. named finds the filters of the workspace's
// segments, by which `in_segment("name")` goes; nil: there are none. Its error is a *FilterError.
func ParseFilter(text string, named func(name string) (*Filter, bool)) (*Filter, error) {
	if len(text) > maxText {
		return nil, &FilterError{
			Code: CodeLong, Offset: maxText, Message: fmt.Sprintf("a filter has at most %d bytes", maxText),
		}
	}

	root, err := parse(text)
	if err != nil || root == nil {
		return nil, err
	}

	c := compiler{named: named}

	made, err := c.compile(root)
	if err != nil {
		return nil, err
	}

	return &Filter{text: text, match: made.match, spans: made.spans, size: c.size, cost: made.cost}, nil
}

// Match says whether the filter wants the row.
func (f *Filter) Match(r *Row) bool { return f == nil || f.match(r) }

// String returns the text the filter was made of.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}

	return f.text
}
