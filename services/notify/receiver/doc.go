// Package receiver reads the receivers document: who is told of alerts, by what, and which alerts go where. It knows what
// the document says; when something is sent is decided by package notify, and how by its senders.
package receiver
