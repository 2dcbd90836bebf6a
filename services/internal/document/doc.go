// Package document reads the YAML documents that operators write (scorecards, rules): plain YAML of bounded size,
// taken apart strictly, with everything that is wrong told by field, stable code and line. What a document means is
// known only to the package that owns it.
package document
