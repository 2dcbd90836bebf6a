// Package alert is the life of alerts: which begin, wake, escalate, are held and end, given what the conditions of the
// rules come to. docs/alerts.md says how. It is pure: no clock, no I/O, no map order. What conditions say is in package
// rule, what accounts are in package health; when alerts are reviewed, and where their transitions go, is in package fold.
package alert
