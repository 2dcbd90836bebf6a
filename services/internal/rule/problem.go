package rule

import "hale.dev/services/internal/document"

// Codes of problems. They are stable; docs/rules-file.md explains each.
const (
	CodeTooLarge       = document.CodeTooLarge     // the document, a list or a text is too large
	CodeYAML           = document.CodeYAML         // not one YAML document
	CodeYAMLFeature    = document.CodeYAMLFeature  // anchors, aliases, tags and the like
	CodeUnknownKey     = document.CodeUnknownKey   // a key that means nothing here
	CodeDuplicateKey   = document.CodeDuplicateKey // a key twice in one mapping
	CodeMissingKey     = document.CodeMissingKey   // a required key is absent
	CodeWrongType      = document.CodeWrongType    // text where a list belongs, and so on
	CodeName           = "name_invalid"            // a rule's name breaks the pattern
	CodeDuplicateRule  = "duplicate_rule"          // a rule's name is taken
	CodeText           = "text_invalid"            // a text is empty or too long
	CodeSeverity       = "unknown_severity"        // no such severity
	CodeSubject        = "unknown_subject"         // `on` is neither account nor source
	CodeSourceRule     = "not_on_source"           // a key that means nothing for a rule on sources
	CodeDuration       = "duration_invalid"        // not a duration, or out of range
	CodeLabel          = "label_invalid"           // a label's name breaks the pattern
	CodeURL            = "url_invalid"             // not an absolute http or https URL
	CodeDuplicateEntry = "duplicate_entry"         // an element twice in one list
	CodeStage          = "unknown_stage"           // no such stage
	CodeSource         = "unknown_source"          // no such source
	CodeUnknownRule    = "unknown_rule"            // inhibited_by names no rule of the document
	CodeInhibitor      = "inhibitor_on_source"     // inhibited_by names a rule on sources
	CodeInhibitorCycle = "inhibition_cycle"        // rules that inhibit each other
	CodeWhenInvalid    = "when_invalid"            // a condition does not compile
	CodeWhenType       = "when_not_bool"           // a condition is not true or false
	CodeWhenName       = "when_unknown_name"       // a condition names what does not exist
	CodeWhenCost       = "when_too_costly"         // a condition, or all of them together, could take too long
	CodeWhenDivision   = "when_division_by_zero"   // a condition divides by what is, or could be, zero
)

// Problem is one thing that is wrong in a document.
type Problem = document.Problem

// Problems is everything wrong in a document, in the order it was found. It is the error of Parse.
//
//nolint:errname // they are what is wrong, and an error only when that ends a parse
type Problems []Problem

// Error implements error; it has a line for each problem.
func (p Problems) Error() string { return document.Problems(p).Describe("rules document") }
