package store

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reason"
)

// Reason says why an engine cannot be used; it is stable, and safe to alert on.
type Reason string

// Reasons of an Error.
const (
	// ReasonEvictingPolicy: the engine may throw values away when memory is short.
	ReasonEvictingPolicy Reason = "evicting_policy"
	// ReasonReadOnly: the engine takes no writes (a replica).
	ReasonReadOnly Reason = "read_only"
	// ReasonLoading: the engine is still reading its own files.
	ReasonLoading Reason = "loading"
	// ReasonFull: the engine has no room for what it should write.
	ReasonFull Reason = "store_full"
	// ReasonClusterDown: a part of a cluster takes no calls now: it has no master, or its data are on the move.
	ReasonClusterDown Reason = "cluster_down"
	// ReasonUnreachable: the engine does not answer.
	ReasonUnreachable Reason = "unreachable"
	// ReasonRefused: the engine answered with an error of another kind.
	ReasonRefused Reason = "refused"
	// ReasonFormat: what is stored has a format that this version does not know.
	ReasonFormat Reason = "unknown_format"
	// ReasonClosed: the store was closed.
	ReasonClosed Reason = "closed"
)

// Error is an engine's definite refusal: what was asked for was not done.
type Error struct {
	Reason  Reason
	Message string
	// Err is what the engine or the network said; may be nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("store: %s (%s)", e.Message, e.Reason)
	}
	return fmt.Sprintf("store: %s (%s): %v", e.Message, e.Reason, e.Err)
}

// Unwrap returns the engine's own error.
func (e *Error) Unwrap() error { return e.Err }

// Code is the gRPC code that fits the reason.
func (e *Error) Code() codes.Code {
	switch e.Reason {
	case ReasonEvictingPolicy, ReasonReadOnly, ReasonFormat:
		return codes.FailedPrecondition
	case ReasonFull:
		return codes.ResourceExhausted
	case ReasonLoading, ReasonClusterDown, ReasonUnreachable, ReasonClosed:
		return codes.Unavailable
	case ReasonRefused:
		return codes.Internal
	default:
		return codes.Unknown
	}
}

// GRPCStatus lets gRPC servers answer with the code and the reason.
func (e *Error) GRPCStatus() *status.Status {
	return reason.Status(e.Code(), "STORE_"+strings.ToUpper(strings.TrimPrefix(string(e.Reason), "store_")), e.Message)
}

// HasReason reports whether err is, or wraps, an Error with this reason.
func HasReason(err error, r Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == r
}
