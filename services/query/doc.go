// Package query is the service that reads: scores with their explanation, history, lists and rejects, and the
// administration of a workspace, over gRPC and, transcoded, over HTTP as JSON, Connect and gRPC-Web.
//
// An account's details come from its value in the store, brought to the day of log time on a copy; lists come from
// columns in memory that follow the store's changes. Nothing here decides a score: what changes scores, such as new
// scorecards, is written to the log, and the scoring service applies it.
package query
