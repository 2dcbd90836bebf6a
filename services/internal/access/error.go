package access

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Error is a refusal of credentials. It knows its gRPC status.
type Error struct {
	// Code is UNAUTHENTICATED or PERMISSION_DENIED.
	Code codes.Code
	// Reason is stable: KEY_MISSING, KEY_UNKNOWN or KEY_WRONG_KIND.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrMissingKey says that the request carries no key.
	ErrMissingKey = &Error{
		Code: codes.Unauthenticated, Reason: "KEY_MISSING",
		Message: "no key: send the header authorization: Bearer <key>",
	}
	// ErrUnknownKey says that the key is none of ours.
	ErrUnknownKey = &Error{
		Code: codes.Unauthenticated, Reason: "KEY_UNKNOWN", Message: "the key is not known",
	}
	// ErrWrongKind says that the key's role does not allow this call.
	ErrWrongKind = &Error{
		Code: codes.PermissionDenied, Reason: "KEY_WRONG_KIND",
		Message: "a key of this kind may not do this: ingest keys only write, viewers only read, operators decide about " +
			"accounts, admins do the rest",
	}
)

// Error implements error.
func (e *Error) Error() string { return "access: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
