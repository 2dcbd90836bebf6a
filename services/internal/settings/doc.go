// Package settings keeps what operators set up: workspaces, the hashes of their keys, their scorecards, rules, segments,
// receivers and silences, in
// JetStream key-value buckets. It knows how settings are stored and watched, not what they mean: keys are
// checked by package access, documents by packages scorecard and rule, and what decides scores takes effect
// only by a record in the log, which the query service writes.
package settings
