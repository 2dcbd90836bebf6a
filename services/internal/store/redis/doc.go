// Package redis keeps derived state in Redis, or an engine that speaks its protocol.
//
// All keys of a partition carry one hash tag, so each operation stays inside one slot of a cluster:
//
//	<prefix>{<tag>}!head      header (see head.go) and the fold's state, one string: checked by every commit
//	<prefix>{<tag>}!changes   a stream, one entry for each commit, trimmed
//	<prefix>{<tag>}!stale     exists while values of other generations may be left (see sweep.go)
//	<prefix>{<tag>}!lease     who holds the partition; it expires (see lease.go)
//	<prefix>{<tag>}!draft     the head of the draft, as !head (see draft.go)
//	<prefix>{<tag>}!last      the highest generation that was given to a draft or by a reset, 8 bytes big endian
//	<prefix>{<tag>}!renewed   run id of the server whose append-only file is whole (see renew.go)
//	<prefix>{<tag>}<n>:<key>  a value of generation n, live or drafted
//
// In a cluster the client follows the slots (server.go, url.go), and what is tried again, and when, is said in retry.go.
//
// A commit is one script call, a read is one MGET. What the values mean is not known here.
package redis
