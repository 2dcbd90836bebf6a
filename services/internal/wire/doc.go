// Package wire takes apart the small binary forms that are kept in stores, files and tokens: chunks behind their
// length, and numbers as varints. It never panics and never allocates by what a length says alone.
//
// What a form holds, and its version, is said where it is written. The state of an account has a codec of its own,
// in package health, made for speed.
package wire
