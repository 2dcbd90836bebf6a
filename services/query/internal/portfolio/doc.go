// Package portfolio sums accounts up to the figures of the business: groups, movements, retention, cohorts, renewals,
// candidates and surveys. docs/portfolio.md is the authority on what each figure means.
//
// It is pure: rows and today go in, figures come out. It has no clock, no lock and no goroutine; who has many
// accounts adds parts of them to sums of their own and merges these. Amounts are integers of micros: the arr of a
// million accounts does not fit 64 bits, so sums are kept in 128, and each rate is rounded once, half away from zero.
package portfolio
