// Package fixed is arithmetic on numbers that count millionths ("micros") in an int64.
//
// Scores must be equal to the last digit on every machine, so they are made without floating
// point. What lives here: exact multiply-and-divide with one rounding, reading decimals, and
// writing them. What does not: anything that knows what the numbers mean.
package fixed
