package column

import "fmt"

// Filter says which rows a list wants. It is immutable and safe for concurrent use; nil wants all.
type Filter struct{}

// FilterError is returned for a filter that cannot be used.
type FilterError struct {
	// Code is stable, for example "filter.unknown_field".
	Code string
	// Offset is the byte in the filter at which the trouble begins.
	Offset int
	// Message is for a person.
	Message string
}

// Error implements error.
func (e *FilterError) Error() string { return fmt.Sprintf("at %d: %s", e.Offset, e.Message) }

// ParseFilter compiles a filter in the syntax of AIP-160; empty gives nil. named finds the filters of the workspace's
// segments, by which `in_segment("name")` goes; nil: there are none. Its error is a *FilterError.
func ParseFilter(text string, _ func(name string) (*Filter, bool)) (*Filter, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nil is the filter that wants all
	}
	return nil, &FilterError{Code: "filter.syntax", Message: "filters are not understood yet"}
}

// Match says whether the filter wants the row.
func (f *Filter) Match(_ *Row) bool { return f == nil }
