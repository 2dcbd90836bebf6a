// Package client connects Go programs to Hale's query service.
//
// It adds to the generated clients what every program would write again: the key in each call, reads that are tried
// again, all pages of a list as one sequence, a watch that goes on where it broke, and the reasons of errors. It holds
// no state of Hale and knows no rules of scoring.
package client
