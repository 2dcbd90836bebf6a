package reject

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Error is what went wrong with the stream of refused events. It knows its gRPC status.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Reason is stable, for programs.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrFull says that REJECTS reached its cap: nothing can be refused in safety, so nothing more be taken in.
	ErrFull = &Error{Code: codes.ResourceExhausted, Reason: "REJECTS_FULL", Message: "REJECTS is full"}
	// ErrUnavailable says that the server did not answer: try again.
	ErrUnavailable = &Error{Code: codes.Unavailable, Reason: "REJECTS_UNAVAILABLE", Message: "REJECTS did not answer"}
	// ErrNotFound says that there is no such refused event in the workspace.
	ErrNotFound = &Error{Code: codes.NotFound, Reason: "REJECT_NOT_FOUND", Message: "no such refused event"}
	// ErrMalformed says that a stored entry cannot be decoded, or one to be stored has no id.
	ErrMalformed = &Error{Code: codes.DataLoss, Reason: "REJECT_MALFORMED", Message: "malformed entry"}
)

// Error implements error.
func (e *Error) Error() string { return "rejects: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
