// Package scoring is the service that turns the event log into scores: it reads the streams, folds each
// partition (package fold, which decides everything), and commits the outcome to the store. It moves data
// and holds no rule of its own.
//
//	owner.go      claims the partitions of a stream, reads it, hands messages to workers, starts over after doubt
//	worker.go     one goroutine a partition: load accounts, fold, sweep, commit
//	commit.go     rejects first, then the store; one commit under way at a time
//	cache.go      accounts in memory, bounded
//	guard.go      checks that log and store belong together
//	tick.go       lets log time pass when nothing is sent
package scoring
