package column

import "hale.dev/services/query/internal/filter"

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

// FilterError is returned for a filter that cannot be used.
type FilterError = filter.Error

// The codes of a FilterError.
const (
	CodeSyntax   = filter.CodeSyntax
	CodeField    = filter.CodeField
	CodeFunction = filter.CodeFunction
	CodeSegment  = filter.CodeSegment
	CodeType     = filter.CodeType
	CodeLong     = filter.CodeLong
	CodeDeep     = filter.CodeDeep
	CodeLarge    = filter.CodeLarge
)

// ParseFilter compiles a filter in the syntax of AIP-160; empty gives nil. named finds the filters of the workspace's
// segments, by which `in_segment("name")` goes; nil: there are none. Its error is a *FilterError.
func ParseFilter(text string, named func(name string) (*Filter, bool)) (*Filter, error) {
	root, err := filter.Parse(text)
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
