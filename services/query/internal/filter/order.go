package filter

import (
	"fmt"
	"strings"
)

// maxTerms is how many fields an order may have.
const maxTerms = 5

// OrderError is returned for an order that lists do not have.
type OrderError struct {
	// Code is stable, for example "order_by.unknown".
	Code string
	// Message is for a person.
	Message string
}

// The codes of an OrderError.
const (
	// CodeOrderSyntax: the text is no order.
	CodeOrderSyntax = "order_by.syntax"
	// CodeOrderField: there is no such field.
	CodeOrderField = "order_by.unknown"
	// CodeOrderLong: there are too many fields, or one is there twice.
	CodeOrderLong = "order_by.fields"
)

// Error implements error.
func (e *OrderError) Error() string { return e.Message }

// ParseOrder reads an order_by: fields, comma-separated, each with asc or desc behind. It calls f for each; f returns
// the field's one name, or false where there is no such field. Its error is an *OrderError.
func ParseOrder(text string, f func(path string, desc bool) (name string, ok bool)) error {
	var (
		parts = strings.Split(text, ",")
		seen  = map[string]bool{}
	)

	if len(parts) > maxTerms {
		return &OrderError{Code: CodeOrderLong, Message: fmt.Sprintf("at most %d fields", maxTerms)}
	}

	for _, part := range parts {
		words := strings.Fields(part)

		if len(words) == 0 || len(words) > 2 || (len(words) == 2 && words[1] != "asc" && words[1] != "desc") {
			return &OrderError{
				Code: CodeOrderSyntax, Message: fmt.Sprintf("%q is not a field with asc or desc behind", part),
			}
		}

		name, ok := f(words[0], len(words) == 2 && words[1] == "desc")
		if !ok {
			return &OrderError{
				Code: CodeOrderField, Message: fmt.Sprintf("there is no field %q to order by", words[0]),
			}
		}

		if seen[name] {
			return &OrderError{Code: CodeOrderLong, Message: name + " is there twice"}
		}

		seen[name] = true
	}

	return nil
}
