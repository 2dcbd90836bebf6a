// Package filter reads filters in the syntax of AIP-160, and orders, and says what their comparisons want of values. It
// does not know what is filtered: packages that do bring their fields.
package filter
