// Package eventlog is Hale's log on JetStream: subjects and streams, the layout that fixes them, group commit
// of records into batches, the ordered reader, and the tokens by which a read waits for a write.
//
// What the records mean is not known here; internal/fold applies them. Refused events live in internal/reject,
// the embedded server in eventlog/natsserver.
package eventlog
