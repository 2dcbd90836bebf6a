// Package eventlog is Hale's log on JetStream: subjects and streams, the layout that fixes them, group commit
// of records into batches, the ordered reader, and the tokens by which a read waits for a write.
//
// On a cluster the servers must be told what a client cannot ask for: sync_interval: always, since a machine that loses
// its power has else forgotten what it acknowledged; max_payload of 1 MB or more;
// a store directory and max_file_store of their own for each; and, where addresses inside differ from those outside, a
// client_advertise that clients can reach, since they learn of the other servers from the one they connect to. Three
// servers keep their word while one is away; with two away nothing is taken until one is back.
//
// What the records mean is not known here; internal/fold applies them. Refused events live in internal/reject,
// the embedded server in eventlog/natsserver.
package eventlog
