package receiver

import "hale.dev/services/internal/document"

// Codes of problems of this kind of document, beside those of package document and of the senders. They are stable;
// docs/notify.md explains each.
const (
	CodeName              = "name_invalid"       // a name breaks the pattern
	CodeDuplicateReceiver = "duplicate_receiver" // a receiver's name is taken
	CodeUnknownKind       = "unknown_kind"       // no such kind of receiver
	CodeUnknownReceiver   = "unknown_receiver"   // a route leads to nobody
	CodeNoReceivers       = "receivers_missing"  // a route leads nowhere
	CodeUnknownEvent      = "unknown_event"      // no such kind of transition
	CodeMatcher           = "matcher_invalid"    // not a matcher
	CodeUnknownField      = "unknown_field"      // no such field to group by
	CodeDuration          = "duration_invalid"   // not a duration, or out of range
	CodeRange             = "out_of_range"       // a number out of range
	CodeTime              = "time_invalid"       // not a time of day
	CodeTimeZone          = "unknown_time_zone"  // no such time zone
	CodeDay               = "unknown_day"        // no such day of the week
	CodeDuplicateDigest   = "duplicate_digest"   // a digest's name is taken
	CodeNoDigests         = "digest_unsupported" // a kind of receiver that takes no digests
)

// Problem is one thing that is wrong in a document.
type Problem = document.Problem

// Problems is everything wrong in a document, in the order it was found. It is the error of Parse.
//
//nolint:errname // they are what is wrong, and an error only when that ends a parse
type Problems []Problem

// Error implements error; it has a line for each problem.
func (p Problems) Error() string { return document.Problems(p).Describe("receivers document") }
