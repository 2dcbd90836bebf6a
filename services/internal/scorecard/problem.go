package scorecard

import "hale.dev/services/internal/document"

// Codes of problems. They are stable; docs/scorecards-file.md explains each.
const (
	CodeTooLarge           = "too_large"           // the document, a list or a text is too large
	CodeYAML               = "yaml_invalid"        // not one YAML document
	CodeYAMLFeature        = "yaml_not_allowed"    // anchors, aliases, tags and the like
	CodeUnknownKey         = "unknown_key"         // a key that means nothing here
	CodeDuplicateKey       = "duplicate_key"       // a key twice in one mapping
	CodeMissingKey         = "missing_key"         // a required key is absent
	CodeWrongType          = "wrong_type"          // text where a list belongs, and so on
	CodeName               = "name_invalid"        // a card's name breaks the pattern
	CodeDuplicateCard      = "duplicate_card"      // a card's name is taken
	CodeUnknownDimension   = "unknown_dimension"   // no such dimension
	CodeDuplicateDimension = "duplicate_dimension" // a dimension twice in one card
	CodeUnknownMeasure     = "unknown_measure"     // no such measure
	CodeDuplicateMeasure   = "duplicate_measure"   // a measure twice in one card
	CodeUnknownSource      = "unknown_source"      // no such source
	CodeDuplicateSource    = "duplicate_source"    // a source twice in one card
	CodeWeight             = "weight_invalid"      // not a whole number from 1 to 100
	CodeWeightSum          = "weight_sum"          // weights do not add up
	CodeNumber             = "number_invalid"      // not a plain decimal number
	CodePrecision          = "too_many_decimals"   // more than 6 decimals
	CodeCurvePoints        = "curve_too_short"     // fewer than 2 points
	CodeCurveOrder         = "curve_order"         // values do not rise from point to point
	CodeCurveRange         = "curve_range"         // points outside 0..100, or a value outside 10^12
	CodeWhenMissing        = "when_missing"        // a card before the last has no condition
	CodeWhenOnLast         = "when_on_last"        // the last card has a condition
	CodeWhenInvalid        = "when_invalid"        // the condition does not compile
	CodeWhenType           = "when_not_bool"       // the condition is not true or false
	CodeWhenName           = "when_unknown_name"   // the condition names what does not exist
	CodeWhenCost           = "when_too_costly"     // the condition could take too long
	CodeMilestoneFeature   = "milestone_feature"   // a milestone without a feature
	CodeDuplicateMilestone = "duplicate_milestone" // a feature is two milestones
	CodeMilestoneDay       = "milestone_day"       // a due day out of range
	CodeMilestoneOrder     = "milestone_order"     // due days fall
)

// Problem is one thing that is wrong in a document.
type Problem = document.Problem

// Problems is everything wrong in a document, in the order it was found. It is the error of Parse.
//
//nolint:errname // they are what is wrong, and an error only when that ends a parse
type Problems []Problem

// Error implements error; it has a line for each problem.
func (p Problems) Error() string { return document.Problems(p).Describe("scorecards document") }
