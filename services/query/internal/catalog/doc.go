// Package catalog knows which features the accounts of a workspace use, so that it can be said which of them an account
// never used. What it knows follows from the accounts alone: whoever has read the same accounts knows the same, in
// whatever order they came. It has no I/O, and keeps nothing of single accounts.
package catalog
