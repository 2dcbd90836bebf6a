// Package storetest holds the conformance suite of store.Store: what every engine must do, whatever it is made of.
// An engine's own tests call Run; what only one engine promises is tested there.
package storetest
