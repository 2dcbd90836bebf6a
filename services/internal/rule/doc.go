// Package rule is the rules document: on which accounts, and sources, alerts are raised. It reads and checks the YAML,
// compiles the conditions, and says of an account which of them hold. When a rule becomes an alert, and what becomes of
// it, is decided elsewhere; nothing here reads a clock, or keeps anything of an account.
//
// What the document's keys mean is in docs/rules-file.md, how alerts are decided in docs/alerts.md.
package rule
