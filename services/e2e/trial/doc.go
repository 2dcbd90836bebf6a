// Package trial lets faults happen in a fleet that is in use, and then holds everything that is left against what must
// be: the oracle's scores over all acknowledged events, the store, what each watcher made of the changes it was told.
package trial
