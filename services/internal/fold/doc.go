// Package fold applies the log of one partition to the accounts in it: log time, duplicates, late and early
// events, historical loads, the midnight roll, changes of scorecards. What an event does to its account is
// in package health; reading the log and writing the store is in services/scoring.
//
// The fold is pure: the same messages give the same accounts, history and rejects, however they are
// grouped into commits and wherever it stops and starts again. It does no I/O: it asks for the
// accounts that a step needs (Needs, SweepNeeds), its caller puts them into the Accounts that it hands in, and
// Flush returns all that has changed since the last Flush as one store commit.
package fold
