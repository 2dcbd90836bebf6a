package document

import (
	"fmt"
	"strings"
)

// Codes of problems that every kind of document can have. They are stable.
const (
	CodeTooLarge     = "too_large"         // the document, a list or a text is too large
	CodeYAML         = "yaml_invalid"      // not one YAML document
	CodeYAMLFeature  = "yaml_not_allowed"  // anchors, aliases, tags and the like
	CodeUnknownKey   = "unknown_key"       // a key that means nothing here
	CodeDuplicateKey = "duplicate_key"     // a key twice in one mapping
	CodeMissingKey   = "missing_key"       // a required key is absent
	CodeWrongType    = "wrong_type"        // text where a list belongs, and so on
	CodeNumber       = "number_invalid"    // not a plain decimal number
	CodePrecision    = "too_many_decimals" // more than 6 decimals
)

// Problem is one thing that is wrong in a document.
type Problem struct {
	// Field says where, for example "scorecards[0].dimensions[1].weight"; empty: the whole document.
	Field string
	// Code is a stable code.
	Code string
	// Message says what, for a person, beginning with the line where there is one: "line 7: ...".
	Message string
}

// Problems is everything wrong in a document, in the order it was found.
type Problems []Problem

// Describe writes problems for a person, a line for each, under the name of the document.
func (p Problems) Describe(name string) string {
	var b strings.Builder
	b.WriteString(name)
	for i, problem := range p {
		separator := "\n  "
		if len(p) == 1 {
			separator = ": "
		} else if i == 0 {
			fmt.Fprintf(&b, ": %d problems:", len(p))
		}
		b.WriteString(separator)
		if problem.Field != "" {
			b.WriteString(problem.Field + ": ")
		}
		b.WriteString(problem.Message + " (" + problem.Code + ")")
	}
	return b.String()
}
