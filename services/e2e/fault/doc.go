// Package fault holds what can go wrong in a fleet, and a plan that lets it go wrong in an order that its seed repeats.
// Each fault knows how it is brought about and how it is mended; it does not know what must hold meanwhile, see trial.
package fault
