// Package trial folds again what a partition of the log holds of one workspace, by rules of alerts that need not have
// been in force, and tells which alerts there would have been. All of it is in memory: nothing is stored. Reading the log
// is for the caller.
package trial
