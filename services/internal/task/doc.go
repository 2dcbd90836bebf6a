// Package task is how an operator asks for work that only the owner of a stream can do: a snapshot, a restore, a
// rebuild. A task is an entry in a key-value bucket, one for each kind and stream, so it outlives whoever asked and
// whoever owns the stream; the owner that finds it goes on with it, and writes there how far it is.
//
// How the work is done is the scoring service's; this package only knows what was asked and what became of it.
package task
