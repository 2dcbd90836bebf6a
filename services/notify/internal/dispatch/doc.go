// Package dispatch decides what is delivered to which receiver when. It has no clock, no I/O and no goroutines: it is told
// of transitions, of the time and of what became of tries, and answers with records and with jobs. Its state is a fold of
// the records, so whoever reads the stream NOTIFY again knows the same.
//
// Records are applied as they are decided and have to be written before anything decided after them is done. If they
// cannot be written, the state is thrown away and loaded again.
package dispatch
