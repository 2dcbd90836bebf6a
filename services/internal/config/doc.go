// Package config is the one way to configure Hale: a YAML file, then environment variables,
// then flags, each overriding the one before. A setting is declared once and has all three
// names: the key `ingest.http`, the variable HALE_INGEST_HTTP, the flag --ingest-http.
// Unknown keys and variables are errors, because a misspelt setting is worse than none.
//
// The package knows no setting by itself: the command line declares them, bound to the
// fields of each component's own Config, and the components check what they are given.
package config
