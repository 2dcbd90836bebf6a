package scoring

import (
	"context"
	"fmt"
)

// Codes of alarms. They are stable: dashboards and rules name them.
const (
	// codeLogTrimmed: the log begins after the place up to which it was folded.
	codeLogTrimmed = "log_trimmed"
	// codeLogLostTail: the log ends before the place up to which it was folded, or holds something else there.
	codeLogLostTail = "log_lost_tail"
	// codeLogReplaced: the stream is not the one that was folded.
	codeLogReplaced = "log_replaced"
	// codeStoreFellBack: the store was further before.
	codeStoreFellBack = "store_fell_back"
	// codeStoreRefused: the store may throw values away, or cannot be written.
	codeStoreRefused = "store_refused"
	// codeForeignDeployment: the store holds, or serves, the state of another log.
	codeForeignDeployment = "foreign_deployment"
	// codeNewerState: the state was written by a newer program.
	codeNewerState = "newer_state"
	// codeMixedVersions: programs of different versions score side by side.
	codeMixedVersions = "mixed_versions"
	// codeClockAhead: a message is far ahead of this clock.
	codeClockAhead = "clock_ahead"
	// codeDedupeFull, codeDedupeFilling: no, or hardly any, memory is left for message ids.
	codeDedupeFull    = "dedupe_full"
	codeDedupeFilling = "dedupe_filling"
	// codeForeignPartition: a message is for a partition that is not in its stream.
	codeForeignPartition = "foreign_partition"
	// codeAlertsFull: the ALERTS stream takes no more.
	codeAlertsFull = "alerts_full"
	// codeAlertLost: what was decided about alerts cannot be told, since it cannot be read any more.
	codeAlertLost = "alert_lost"
	// codeSnapshotFailed: a snapshot could not be written.
	codeSnapshotFailed = "snapshot_failed"
)

// AlarmError says that log and store do not belong together, or that a bound is reached. Somebody must look.
type AlarmError struct {
	// Code is one of those above.
	Code string
	Why  string
}

// Error implements error.
func (e *AlarmError) Error() string { return e.Code + ": " + e.Why }

func alarmf(code, format string, args ...any) *AlarmError {
	return &AlarmError{Code: code, Why: fmt.Sprintf(format, args...)}
}

// raise tells of an alarm that does not stop the partition, and what is done about it.
func (s *Service) raise(ctx context.Context, partition int, a *AlarmError, remedy string) {
	s.metrics.alarm(ctx, a.Code)
	s.deps.Logger.ErrorContext(ctx, remedy, "partition", partition, "code", a.Code, "why", a.Why)
}
