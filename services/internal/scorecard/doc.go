// Package scorecard is the scorecards document: which measures count, with which curve and weight, for which
// accounts. It reads and checks the YAML, compiles the conditions (CEL), picks the card that applies to an
// account, and turns a measure's value into points. Values are computed by package health; where documents
// are kept and how a change of them reaches the log is not known here. Nothing here reads a clock or a file.
//
// The rules are in docs/scorecard.md, the document's keys in docs/scorecards-file.md.
package scorecard
