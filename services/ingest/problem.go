package ingest

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reason"
	"hale.dev/services/internal/reject"
)

const (
	// soon is when to come again after a moment of load.
	soon = time.Second
	// later is when to come again once an operator may have acted.
	later = 30 * time.Second
)

// Problem is why a whole request was refused. It knows its HTTP and gRPC status.
type Problem struct { //nolint:errname // named as RFC 9457 does, which it is answered as
	// Status of HTTP.
	Status int
	// Code is stable, for programs.
	Code Code
	// Message is for a person.
	Message string
	// RetryAfter is when to come again; 0: as it is, the request will never be taken.
	RetryAfter time.Duration
	// Err is the cause, for the log; may be nil.
	Err error
}

// Error implements error.
func (p *Problem) Error() string { return "ingest: " + p.Message }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// GRPCStatus is what grpc answers for this error.
func (p *Problem) GRPCStatus() *status.Status {
	var details []protoadapt.MessageV1
	if p.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(p.RetryAfter)})
	}

	return reason.Status(p.grpcCode(), strings.ToUpper(string(p.Code)), p.Message, details...)
}

func (p *Problem) grpcCode() codes.Code {
	switch p.Status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusInternalServerError:
		return codes.Internal
	default:
		return codes.InvalidArgument
	}
}

// malformed is a request that cannot be read.
func malformed(code Code, message string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: code, Message: message}
}

// logProblem tells what a failed write to the log means for the client.
func logProblem(err error) *Problem {
	p := &Problem{Status: http.StatusServiceUnavailable, RetryAfter: soon, Err: err}

	switch {
	case errors.Is(err, eventlog.ErrBusy):
		p.Status, p.Code, p.Message = http.StatusTooManyRequests, CodeLogBusy, "the log's queue is full"
	case errors.Is(err, eventlog.ErrFull):
		p.Code, p.Message, p.RetryAfter = CodeLogFull, "the log is full", later
	default:
		p.Code, p.Message = CodeLogUnavailable, "the log did not answer; events may have been taken, send them again"
	}

	return p
}

// errPressed is a scoring service that cannot remember more message ids.
func errPressed(why string) *Problem {
	return &Problem{Status: http.StatusServiceUnavailable, Code: CodeDedupeFull, Message: why, RetryAfter: later}
}

// rejectProblem tells what a failed write to REJECTS means for the client.
func rejectProblem(err error) *Problem {
	p := &Problem{Status: http.StatusServiceUnavailable, RetryAfter: soon, Err: err}

	if errors.Is(err, reject.ErrFull) {
		p.Code, p.Message, p.RetryAfter = CodeRejectsFull, "events must be refused, and there is no room to keep them", later
	} else {
		p.Code, p.Message = CodeRejectsUnavailable, "the stream of refused events did not answer"
	}

	return p
}

// directoryProblem is a directory that did not answer.
func directoryProblem(err error) *Problem {
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: CodeDirectoryUnavailable,
		Message: "the directory of users did not answer", RetryAfter: soon, Err: err,
	}
}

// keyProblem tells why nobody was let in. Its codes are access's reasons in small letters.
func keyProblem(err error) *Problem {
	if limit, ok := errors.AsType[*access.LimitError](err); ok {
		return limitProblem(limit)
	}

	refusal, ok := errors.AsType[*access.Error](err)
	if !ok { // who calls has gone while a token was being proven
		p := malformed(CodeUnreadableBody, "the caller gave up")
		p.Err = err

		return p
	}

	p := &Problem{
		Status: http.StatusUnauthorized, Code: Code(strings.ToLower(refusal.Reason)), Message: refusal.Message, Err: err,
	}

	switch refusal.Code {
	case codes.PermissionDenied:
		p.Status = http.StatusForbidden
	case codes.Unavailable:
		p.Status, p.RetryAfter = http.StatusServiceUnavailable, soon
	}

	return p
}

// limitProblem is a request beyond the limits of its key.
func limitProblem(limit *access.LimitError) *Problem {
	p := &Problem{
		Status: http.StatusTooManyRequests, Code: CodeRateLimited, Message: limit.Message, RetryAfter: limit.RetryAfter, Err: limit,
	}

	if limit.RetryAfter == 0 {
		p.Status, p.Code = http.StatusRequestEntityTooLarge, CodeRequestTooLarge
	}

	return p
}

// errAdminKey refuses history sent with another key.
func errAdminKey() *Problem {
	return &Problem{
		Status: http.StatusForbidden, Code: CodeAdminKeyRequired, Message: "historical events need the admin key",
	}
}
