package store

import (
	"encoding/binary"

	"hale.dev/services/internal/wire"
)

// Keys of a partition. The first byte says the kind; parts of variable length carry their length, so
// that no part can be mistaken for another whatever bytes it holds.

// Account returns the id under which an account of a workspace is kept and named in changes.
func Account(workspace, account string) string {
	b := make([]byte, 0, len(workspace)+len(account)+1)
	return string(append(wire.Append(b, workspace), account...))
}

// SplitAccount undoes Account; ok is false for a string that Account cannot have made.
func SplitAccount(id string) (workspace, account string, ok bool) {
	return wire.Cut(id)
}

// AccountKey holds an account's state.
func AccountKey(id string) string { return "a" + id }

// PartKey holds part n of an account's state that outgrew its main value.
func PartKey(id string, part uint32) string {
	return string(binary.BigEndian.AppendUint32([]byte{'p'}, part)) + id
}

// AccountOf returns the account of which AccountKey or PartKey made a key; ok is false for any other key.
func AccountOf(key string) (id string, ok bool) {
	const partHead = 1 + 4 // kind and number
	switch {
	case len(key) > 1 && key[0] == 'a':
		return key[1:], true
	case len(key) > partHead && key[0] == 'p':
		return key[partHead:], true
	}
	return "", false
}

// Past reports whether a key holds what only tells of the past: history, or scorecards that were in force once.
func Past(key string) bool { return key != "" && (key[0] == 'h' || key[0] == 'v') }

// HistoryKey holds the rows of an account's history in an era of days.
func HistoryKey(id string, era int32) string {
	return string(binary.BigEndian.AppendUint32([]byte{'h'}, uint32(era))) + id //nolint:gosec // bit pattern only
}

// DedupeKey holds the message ids seen in an hour of log time.
func DedupeKey(hour int64) string {
	return string(binary.BigEndian.AppendUint64([]byte{'d'}, uint64(hour))) //nolint:gosec // bit pattern only
}

// AccountsKey holds chunk n of the ids of all accounts of the partition.
func AccountsKey(chunk uint32) string {
	return string(binary.BigEndian.AppendUint32([]byte{'i'}, chunk))
}

// ScorecardsKey holds the scorecards document in force for a workspace.
func ScorecardsKey(workspace string) string { return "s" + workspace }

// ScorecardsVersionKey holds a version of a workspace's scorecards document that was once in force, so that old scores
// can be explained.
func ScorecardsVersionKey(workspace string, version uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{'v'}, version)) + workspace
}
