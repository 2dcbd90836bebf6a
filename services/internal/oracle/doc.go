// Package oracle is a deliberately naive second implementation of docs/scorecard.md and docs/alerts.md, written from
// these pages alone. It keeps every accepted event, and for each evaluation sorts and rereads them all; it computes with
// exact rationals and rounds where the pages say so. It is slow and obvious on purpose: the engine (internal/health,
// internal/alert, internal/fold) is held against it, to the last micro.
//
// Here live the replay of a partition's log (dedupe, log time, loads, rolls, bands, history), the measures, the score, the
// alerts, and generators of random logs for property tests. Nothing of the engine is imported but the documents
// (internal/scorecard, internal/rule), and no program but tests imports this package. Bounds of size (65,536 users, 20,000
// tickets, 1,000 roles, forgetting after 400 days) are not modelled: the oracle remembers everything.
package oracle
