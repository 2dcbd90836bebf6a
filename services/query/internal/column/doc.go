// Package column keeps in memory what lists of accounts filter and sort by, a table for each workspace. It knows
// nothing of the store or of gRPC: its owner puts rows in as they change and asks for pages.
//
// How pages stay fast while scores change: rows are immutable and lie in slots, in no order; a snapshot shares them, and
// a change after it copies a chunk of slots. So everything that takes long works on a snapshot, outside of the lock.
// The orders that lists often ask for are kept sorted, in chunks, so that a change copies a chunk or two; changes wait
// until the order is read next, and an order that is not read is dropped.
//
// A kept order is an index too: the rows with a value of its field between two bounds stand together in it. A page is
// found the cheapest of three ways: through the few rows that such an index says a filter can want at all; along the
// sorted order of the list, until the page is full; or by a look at all rows as they lie in memory, with all
// processors, of which each keeps the best it has seen.
package column
