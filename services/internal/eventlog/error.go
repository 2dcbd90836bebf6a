package eventlog

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Error is what went wrong with the log. It knows its gRPC status.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Reason is stable, for programs.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrFull says that a stream reached its cap in bytes, or the server has no room left. Nothing old is lost.
	ErrFull = &Error{Code: codes.ResourceExhausted, Reason: "LOG_FULL", Message: "the log is full"}
	// ErrBusy says that the writer's queue is full: come again shortly.
	ErrBusy = &Error{Code: codes.ResourceExhausted, Reason: "LOG_BUSY", Message: "the log's queue is full"}
	// ErrUnavailable says that the server did not acknowledge in time. The records may or may not be in the
	// log; writing them again is right, since message ids count once.
	ErrUnavailable = &Error{Code: codes.Unavailable, Reason: "LOG_UNAVAILABLE", Message: "the log did not answer"}
	// ErrClosed says that the writer is closed, or closing.
	ErrClosed = &Error{Code: codes.Unavailable, Reason: "LOG_CLOSED", Message: "the log's writer is closed"}
	// ErrTooLarge says that one record is larger than a message of the log may be.
	ErrTooLarge = &Error{Code: codes.InvalidArgument, Reason: "RECORD_TOO_LARGE", Message: "a record is too large"}
	// ErrTokenUnknown says that a token is malformed, or another log's.
	ErrTokenUnknown = &Error{
		Code: codes.InvalidArgument, Reason: "TOKEN_UNKNOWN", Message: "the token is not one of this log",
	}
	// ErrNoMessage says that the log has no message at a sequence.
	ErrNoMessage = &Error{Code: codes.NotFound, Reason: "MESSAGE_NOT_FOUND", Message: "no such message in the log"}
	// ErrLayout says that the options ask for another layout than the one fixed at the first start.
	ErrLayout = &Error{
		Code: codes.FailedPrecondition, Reason: "LAYOUT_DIFFERS", Message: "the log was made with another layout",
	}
	// ErrStreamGone says that a stream of the log was deleted, or made anew.
	ErrStreamGone = &Error{Code: codes.DataLoss, Reason: "LOG_STREAM_GONE", Message: "a stream of the log is gone"}
	// ErrLostTail says that the log ends before, or differs at, a place that was read already.
	ErrLostTail = &Error{Code: codes.DataLoss, Reason: "LOG_LOST_TAIL", Message: "the log lost its tail"}
	// ErrTrimmed says that the log begins after the place from which to read.
	ErrTrimmed = &Error{Code: codes.DataLoss, Reason: "LOG_TRIMMED", Message: "the log was trimmed past the place"}
	// ErrTrimRefused says that a stream was made to deny every purge, by an earlier version: only a new stream can be
	// trimmed.
	ErrTrimRefused = &Error{
		Code: codes.FailedPrecondition, Reason: "LOG_TRIM_REFUSED", Message: "a stream of the log does not let itself be trimmed",
	}
	// ErrPoison says that a message of the log cannot be decoded.
	ErrPoison = &Error{Code: codes.DataLoss, Reason: "LOG_POISON", Message: "a message cannot be decoded"}
)

// Error implements error.
func (e *Error) Error() string { return "event log: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
