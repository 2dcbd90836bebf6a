//go:build race

package health_test

// raced says that the tests look for races.
const raced = true
