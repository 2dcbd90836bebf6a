// Package reason makes the statuses that gRPC callers get: a code, a message for people, and a reason for programs,
// in the one domain of Hale. Which reasons there are is said where they arise.
package reason

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// domain of all reasons that Hale gives.
const domain = "hale"

// Info is the detail that carries a reason. Reasons are UPPER_SNAKE and stable.
func Info(reason string) *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: reason, Domain: domain}
}

// Status is what grpc answers: the code, the message, the reason, then further details.
func Status(code codes.Code, reason, message string, details ...protoadapt.MessageV1) *status.Status {
	return StatusWith(code, Info(reason), message, details...)
}

// StatusWith is Status for a reason that carries metadata.
func StatusWith(
	code codes.Code, info *errdetails.ErrorInfo, message string, details ...protoadapt.MessageV1,
) *status.Status {
	plain := status.New(code, message)

	detailed, err := plain.WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil { // a detail that cannot be marshalled, or OK as the code
		return plain
	}

	return detailed
}
