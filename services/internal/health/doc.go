// Package health is the pure core of scoring: the state of one account, how events fold into it,
// how measures, score, band and stage are made of it, and how it is written to bytes and read back.
//
// It follows docs/scorecard.md to the last digit. There is no clock, no I/O, no goroutine, no
// floating point and no dependence on the order of a map: the same events give the same bytes.
//
// What does not live here: removing duplicates, judging an event's time, historical loads, and
// everything that moves data (package fold and the services around it).
package health
