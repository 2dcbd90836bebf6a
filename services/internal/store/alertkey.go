package store

import "encoding/binary"

// RulesKey holds the rules document in force for a workspace.
func RulesKey(workspace string) string { return "r" + workspace }

// TimerKey holds the timers of accounts that are due in an hour of log time.
func TimerKey(hour int64) string {
	return string(binary.BigEndian.AppendUint64([]byte{'t'}, uint64(hour))) //nolint:gosec // bit pattern only
}

// OutboxKey holds entry n of what was decided about alerts and is on its way to the ALERTS stream.
func OutboxKey(n uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{'o'}, n))
}
