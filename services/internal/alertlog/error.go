package alertlog

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Error is what went wrong with the stream of alerts. It knows its gRPC status.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Reason is stable, for programs.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrFull says that ALERTS reached its cap, or the server has no room left. Nothing old is lost, and nothing new is
	// taken.
	ErrFull = &Error{Code: codes.ResourceExhausted, Reason: "ALERTS_FULL", Message: "ALERTS is full"}
	// ErrUnavailable says that the server did not answer, or not usefully: try again.
	ErrUnavailable = &Error{Code: codes.Unavailable, Reason: "ALERTS_UNAVAILABLE", Message: "ALERTS did not answer"}
	// ErrGone says that records behind the place were dropped for their age, or that the stream is not the one in which
	// the place was: begin anew with Latest.
	ErrGone = &Error{Code: codes.OutOfRange, Reason: "ALERTS_GONE", Message: "ALERTS has not all behind the place any more"}
	// ErrMalformed says that a record cannot be published or decoded.
	ErrMalformed = &Error{Code: codes.DataLoss, Reason: "ALERT_MALFORMED", Message: "malformed record"}
)

// Error implements error.
func (e *Error) Error() string { return "alerts: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
