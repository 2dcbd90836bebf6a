package query

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Reasons that the service gives; they are stable.
const (
	reasonRequest      = "REQUEST_INVALID"
	reasonAccount      = "ACCOUNT_NOT_FOUND"
	reasonHistory      = "HISTORY_MISSING"
	reasonKey          = "KEY_NOT_FOUND"
	reasonKeyChanged   = "KEY_CHANGED"
	reasonKeyEnded     = "KEY_ENDED"
	reasonKeysFull     = "KEYS_FULL"
	reasonLastAdmin    = "LAST_ADMIN_KEY"
	reasonNotYet       = "NOT_YET_VISIBLE"
	reasonToken        = "TOKEN_UNKNOWN"
	reasonPageToken    = "PAGE_TOKEN_INVALID"
	reasonScorecards   = "SCORECARDS_INVALID"
	reasonReceivers    = "RECEIVERS_INVALID"
	reasonLetters      = "DEAD_LETTERS_UNAVAILABLE"
	reasonRules        = "RULES_INVALID"
	reasonStore        = "STORE_UNAVAILABLE"
	reasonSettings     = "SETTINGS_UNAVAILABLE"
	reasonPublishing   = "PUBLISHING"
	reasonRejects      = "REJECTS_UNAVAILABLE"
	reasonFilling      = "LISTS_FILLING"
	reasonResend       = "RESEND_UNAVAILABLE"
	reasonStopping     = "STOPPING"
	reasonInternal     = "INTERNAL"
	reasonDeadline     = "DEADLINE"
	reasonCanceled     = "CANCELED"
	reasonDataUnusable = "DATA_UNUSABLE"
	reasonPartition    = "PARTITION_NOT_FOUND"
	reasonTask         = "TASK_NOT_FOUND"
	reasonTaskBusy     = "TASK_BUSY"
	reasonTasks        = "TASKS_UNAVAILABLE"
	reasonSnapshot     = "SNAPSHOT_NOT_FOUND"
	reasonSnapshots    = "SNAPSHOTS_UNAVAILABLE"
	reasonSnapshotsOff = "SNAPSHOTS_OFF"
	reasonSlowReader   = "SLOW_READER"
	reasonSegment      = "SEGMENT_NOT_FOUND"
	reasonRevision     = "REVISION_MISMATCH"
	reasonSegmentsFull = "SEGMENTS_FULL"

	reasonSegmentChanged = "SEGMENT_CHANGED"
	reasonChurned        = "ACCOUNT_CHURNED"
	reasonGoal           = "GOAL_NOT_FOUND"
	reasonGoals          = "GOALS_FULL"
	reasonCommand        = "COMMAND_REFUSED"

	reasonAlert             = "ALERT_NOT_FOUND"
	reasonAlerts            = "ALERTS_UNAVAILABLE"
	reasonAlertNotOpen      = "ALERT_NOT_OPEN"
	reasonAlertChanged      = "ALERT_CHANGED"
	reasonAlertAcknowledged = "ALERT_ALREADY_ACKNOWLEDGED"
	reasonCommandReused     = "COMMAND_ID_REUSED"
	reasonSilence           = "SILENCE_NOT_FOUND"
	reasonSilencesFull      = "SILENCES_FULL"
	reasonRulesTestBusy     = "RULES_TEST_BUSY"
	reasonRulesTestTooLarge = "RULES_TEST_TOO_LARGE"
)

// metadataResumeToken is where programs find the token of a watch that ended.
const metadataResumeToken = "resume_token"

// Violation says what is wrong with one field of a request.
type Violation struct {
	// Field is its path.
	Field string
	// Code is stable, for example string.min_len.
	Code string
	// Message is for a person.
	Message string
}

// Error is an answer that is not OK. It knows its gRPC status.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Reason is stable, for programs.
	Reason string
	// Message is for a person.
	Message string
	// Violations of the request's fields, if that is what is wrong.
	Violations []Violation
	// Metadata says more, for programs; nil: nothing.
	Metadata map[string]string

	// cause is logged, not told.
	cause error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return "query: " + e.Message + ": " + e.cause.Error()
	}

	return "query: " + e.Message
}

// Unwrap returns what caused the error, if anything did.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status {
	info := reason.Info(e.Reason)
	info.Metadata = e.Metadata

	if len(e.Violations) == 0 {
		return reason.StatusWith(e.Code, info, e.Message)
	}

	bad := &errdetails.BadRequest{}
	for _, v := range e.Violations {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: v.Field, Description: v.Message, Reason: v.Code,
		})
	}

	return reason.StatusWith(e.Code, info, e.Message, bad)
}

// invalid is an error of one field of the request.
func invalid(field, code, message string) *Error {
	return &Error{
		Code: codes.InvalidArgument, Reason: reasonRequest, Message: field + ": " + message,
		Violations: []Violation{{Field: field, Code: code, Message: message}},
	}
}

// unavailable is an error of something this service needs; the caller may try again.
func unavailable(reason, message string, cause error) error {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return cause // the caller's doing
	}

	return &Error{Code: codes.Unavailable, Reason: reason, Message: message, cause: cause}
}

// answered is an error that knows its status.
type answered interface {
	error
	GRPCStatus() *status.Status
}

// answer turns any error of a handler into one that knows its status.
func answer(err error) answered {
	var known answered

	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{
			Code: codes.DeadlineExceeded, Reason: reasonDeadline, Message: "the deadline passed", cause: err,
		}
	case errors.Is(err, context.Canceled):
		return &Error{Code: codes.Canceled, Reason: reasonCanceled, Message: "the call was canceled", cause: err}
	default:
		return &Error{Code: codes.Internal, Reason: reasonInternal, Message: "an error inside Hale", cause: err}
	}
}
