// Package demo makes up a portfolio of customer accounts with stories (steady, growing,
// quietly leaving, angry, onboarding stalled) and plays it into a running Hale through the
// public API: months of history as one historical load, then live events.
//
// The making is pure: the same configuration and end give the same events. Player alone
// talks to a server. Nothing here knows how scores are made.
package demo
