// Package cli is the command line of Hale: it reads the configuration, starts the services
// (package cli/process) and talks to running ones as any other client does, over the public
// HTTP and gRPC interfaces.
//
// Data goes to stdout and messages to stderr, so that every command can stand in a pipe.
// Nothing is decided here: what an event means and what a score is, the services know.
package cli
