// Package member knows which scoring processes share the partitions of a log, and which of them should own which
// stream. Processes tell of themselves by heartbeats over NATS; each makes up its own mind from what it hears.
//
// Nothing here is a promise: two processes may think differently of the same stream for a while. A lease in the
// store keeps them from taking it from each other, and the commit's check of the epoch decides what counts.
//
//	table.go    who is there: pure, its time comes from the caller
//	assign.go   who should own what: pure
//	group.go    heartbeats over NATS
package member
