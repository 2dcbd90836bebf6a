package access

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Reasons of an Error that are about keys and calls; those about tokens stand in package oidc. docs/errors.md explains
// each.
const (
	reasonMissing      = "KEY_MISSING"
	reasonUnknown      = "KEY_UNKNOWN"
	reasonKind         = "KEY_WRONG_KIND"
	reasonEnded        = "KEY_ENDED"
	reasonInstallation = "INSTALLATION_ADMIN_REQUIRED"
	reasonTokenExpired = "OIDC_TOKEN_EXPIRED" //nolint:gosec // a reason, no secret
)

// Error is a refusal of credentials. It knows its gRPC status.
type Error struct {
	// Code is UNAUTHENTICATED or PERMISSION_DENIED; UNAVAILABLE if nobody can say now.
	Code codes.Code
	// Reason is stable.
	Reason string
	// Message is for a person.
	Message string
}

var (
	// ErrMissingKey says that the request carries no key.
	ErrMissingKey = &Error{
		Code: codes.Unauthenticated, Reason: reasonMissing,
		Message: "no key: send the header authorization: Bearer <key>",
	}
	// ErrUnknownKey says that the key is none of ours.
	ErrUnknownKey = &Error{
		Code: codes.Unauthenticated, Reason: reasonUnknown, Message: "the key is not known",
	}
	// ErrWrongKind says that the key's role does not allow this call.
	ErrWrongKind = &Error{
		Code: codes.PermissionDenied, Reason: reasonKind,
		Message: "a key of this kind may not do this: ingest keys only write, viewers only read, operators decide about " +
			"accounts, admins do the rest",
	}
	// ErrInstallation says that a call concerns the whole installation, and the caller is of one of its workspaces.
	ErrInstallation = &Error{
		Code: codes.PermissionDenied, Reason: reasonInstallation,
		Message: "this concerns the whole installation: only admins of the workspace " + DefaultWorkspace + " may do it",
	}
	// ErrKeyEnded ends a stream whose key was revoked, or has come to its end.
	ErrKeyEnded = &Error{
		Code: codes.Unauthenticated, Reason: reasonEnded, Message: "the key was revoked, or has come to its end",
	}
	// ErrTokenExpired refuses a token after its end, and ends the streams that it opened.
	ErrTokenExpired = &Error{
		Code: codes.Unauthenticated, Reason: reasonTokenExpired, Message: "the token has expired: sign in again",
	}
)

// Error implements error.
func (e *Error) Error() string { return "access: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *Error) GRPCStatus() *status.Status { return reason.Status(e.Code, e.Reason, e.Message) }
