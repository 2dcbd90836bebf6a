package snapshot

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Error is what went wrong with a snapshot. It knows its gRPC status.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Reason is stable, for programs.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrDamaged says that a snapshot was cut off or changed: nothing that it holds may be used.
	ErrDamaged = &Error{Code: codes.DataLoss, Reason: "SNAPSHOT_DAMAGED", Message: "the snapshot is damaged"}
	// ErrFormat says that a newer version of the program wrote the snapshot.
	ErrFormat = &Error{
		Code: codes.FailedPrecondition, Reason: "SNAPSHOT_FORMAT", Message: "the snapshot has a newer format",
	}
	// ErrNotFound says that there is no such snapshot.
	ErrNotFound = &Error{Code: codes.NotFound, Reason: "SNAPSHOT_NOT_FOUND", Message: "no such snapshot"}
	// ErrPlace says that snapshots cannot be kept where the configuration wants them.
	ErrPlace = &Error{Code: codes.InvalidArgument, Reason: "SNAPSHOT_PLACE", Message: "the place cannot be used"}
	// ErrName says that an object cannot have this name.
	ErrName = &Error{Code: codes.InvalidArgument, Reason: "SNAPSHOT_NAME", Message: "not a name of an object"}
	// ErrFull says that the place has no room left.
	ErrFull = &Error{Code: codes.ResourceExhausted, Reason: "SNAPSHOT_PLACE_FULL", Message: "the place is full"}
	// ErrTooLarge says that a key, a value or a whole snapshot is larger than its bound.
	ErrTooLarge = &Error{Code: codes.ResourceExhausted, Reason: "SNAPSHOT_TOO_LARGE", Message: "it is too large"}
)

// Error implements error.
func (e *Error) Error() string { return "snapshot: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
