// Package process makes one running process out of parts: it opens the log, the settings and
// the store, starts the services that were asked for, watches over them, and takes them down
// in reverse order. What the services do is not known here.
package process
