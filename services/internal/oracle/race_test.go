//go:build race

package oracle_test

// raced says that the tests look for races.
const raced = true
