// Package scripts is no program: its go.mod pins the tools of the build (run `make help`). The module stays out of
// go.work, so that the tools' dependencies never touch those of Hale. Programs of the build lie in folders below.
package scripts
