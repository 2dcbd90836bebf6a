package filter

import "fmt"

const (
	// maxText is how many bytes a filter may have.
	maxText = 4096
	// maxDepth is how deep parentheses and negations may be nested.
	maxDepth = 32
	// MaxSize is how many comparisons a filter may be made of, those of filters that it names included.
	MaxSize = 512
)

// Error is returned for a filter that cannot be used.
type Error struct {
	// Code is stable, for example "filter.unknown_field".
	Code string
	// Offset is the byte in the filter at which the trouble begins.
	Offset int
	// Message is for a person.
	Message string
}

// The codes of an Error.
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
func (e *Error) Error() string { return fmt.Sprintf("at %d: %s", e.Offset, e.Message) }

// Syntax is an error of the form of a filter.
func Syntax(offset int, format string, args ...any) *Error {
	return &Error{Code: CodeSyntax, Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// Mistyped is the error of a comparison that makes no sense.
func Mistyped(at Token, format string, args ...any) *Error {
	return &Error{Code: CodeType, Offset: at.Start, Message: fmt.Sprintf(format, args...)}
}

// Unknown is the error of a field that there is not.
func Unknown(field Token) *Error {
	return &Error{Code: CodeField, Offset: field.Start, Message: "there is no field " + field.Text}
}
