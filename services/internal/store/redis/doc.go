// Package redis keeps derived state in Redis, or an engine that speaks its protocol.
//
// All keys of a partition carry one hash tag, so each operation stays inside one slot of a cluster:
//
//	<prefix>{<tag>}!head      header (see head.go) and the fold's state, one string: checked by every commit
//	<prefix>{<tag>}!changes   a stream, one entry for each commit, trimmed
//	<prefix>{<tag>}!stale     exists while values of earlier generations may be left (see sweep.go)
//	<prefix>{<tag>}<n>:<key>  a value of generation n
//
// A commit is one script call, a read is one MGET. What the values mean is not known here.
package redis
