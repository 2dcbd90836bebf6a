package sender

import (
	"fmt"
	"strings"
)

// Codes of problems. They are stable; docs/notify.md explains each.
const (
	CodeMissing         = "missing"                   // a required setting is absent
	CodeURL             = "url_invalid"               // not an address of http or https, or not only that
	CodeSecret          = "secret_reference"          // a secret that is not written as file:NAME or env:NAME
	CodeConflict        = "settings_conflict"         // two settings that exclude each other
	CodeChoice          = "unknown_choice"            // not one of the words allowed
	CodeAddress         = "address_invalid"           // not an address of email, or not host:port
	CodeInsecure        = "encryption_required"       // no encryption to another machine
	CodeHeader          = "header_invalid"            // a header that HTTP does not allow, or that Hale sets
	CodeDuration        = "duration_invalid"          // not a duration, or out of range
	CodeTooLarge        = "too_large"                 // a list or a text is too large
	CodeTemplate        = "template_invalid"          // a template does not compile
	CodeTemplateRefused = "template_not_allowed"      // a template that uses what is not allowed
	CodeTemplateRun     = "template_execution_failed" // a template fails on a sample
)

// Problem is one thing that is wrong in the settings of a receiver.
type Problem struct {
	// Field says where, for example "headers[X-Team]".
	Field string
	// Code is one of the codes above.
	Code string
	// Message says what, for a person. It repeats no secrets.
	Message string
}

// Problems is everything wrong in the settings of a receiver.
//
//nolint:errname // they are what is wrong, and an error only where that ends something
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	texts := make([]string, 0, len(p))
	for _, problem := range p {
		texts = append(texts, fmt.Sprintf("%s: %s (%s)", problem.Field, problem.Message, problem.Code))
	}

	return strings.Join(texts, "; ")
}

// addf notes a problem.
func (p *Problems) addf(field, code, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
}
