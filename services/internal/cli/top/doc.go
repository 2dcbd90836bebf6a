// Package top is the live terminal view of the portfolio and its alerts: what is held of the feeds, what keys do, and how
// it is drawn.
//
// It is pure: it starts nothing, reads no clock and calls nobody. Messages of the feeds come in from outside, and what it
// wants to know or to have done it gives to a function as a request, whose answer comes back as a message. Package cli
// connects it.
package top
