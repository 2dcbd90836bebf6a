// Package board keeps in memory the alerts of all workspaces, as the records of the ALERTS stream tell of them: those
// that are open, and those that were resolved lately. It finds pages of them and hands what happens to watchers. It knows
// nothing of the stream or of gRPC: its owner puts records in as they come, and asks.
//
// What is bounded: of each workspace the alerts that were resolved in the last 90 days (by the time of its newest
// record), at most 20,000, those that were resolved first leave first; and its newest transitions, of which watchers live
// who are up to date. All else stands in the stream.
package board
