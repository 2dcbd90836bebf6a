// Package column keeps in memory what lists of accounts filter and sort by, a table for each workspace. It knows
// nothing of the store or of gRPC: its owner puts rows in as they change and asks for pages.
//
// How pages stay fast while scores change: rows are immutable, and a table keeps one sorted slice for each order
// that somebody asked for. A change only marks the old row as gone and notes the new one. The next page in that
// order sorts the few noted rows and merges them in: linear in the number of accounts with a tiny constant
// (about a millisecond for 100,000), whatever number of changes came between. Orders nobody reads cost nothing,
// and a reader walks a slice that never changes, outside of the lock.
package column
