// Package ingest takes events in: Segment's HTTP API, Hale's own JSON, and gRPC.
//
// Every way in decodes to eventv1.Event and goes one common path (publish.go): check, find the account, keep what is
// refused in REJECTS, write the rest to the log, and answer once the log acknowledged. What an event does to a score
// is not known here: internal/fold and internal/health apply the log. Which account a user belongs to is kept by
// internal/directory.
package ingest
