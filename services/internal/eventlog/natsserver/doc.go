// Package natsserver runs a NATS server with JetStream inside this process: the default of `hale run`. It knows
// how to start one that keeps its promises on disk, how to connect to it without a network, and how to stop it.
// The log on top of it is package eventlog.
package natsserver
