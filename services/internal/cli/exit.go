package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nats.go"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit codes; `hale help exit-codes` explains them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitUnavailable = 5
	exitRefused     = 6
	exitInterrupted = 130
)

const exitCodesHelp = `The exit code says how a command ended:

  0    it did what was asked
  1    it failed, for a reason that has no code of its own
  2    the command line or the configuration is wrong; nothing was done
  3    what was asked for does not exist
  4    the key is missing, unknown, or of the wrong kind
  5    the server cannot be reached, is too busy, or did not answer in time: try again
  6    what was sent or asked for was refused: events, a document, a task while another is under way; the
       output names what and why
  130  it was interrupted

A service that is told to stop (SIGTERM, Ctrl-C) and stops in order ends with 0.`

// failure is an error with the exit code it leads to.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError says that the command line is wrong.
func usageError(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// refused says that the input was not taken.
func refused(format string, args ...any) error {
	return &failure{code: exitRefused, err: fmt.Errorf(format, args...)}
}

// exitCode returns the code that an error leads to.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}

	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}

	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}

	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoServers) {
		return exitUnavailable
	}

	if s, ok := status.FromError(err); ok {
		return exitCodeOf(s.Code())
	}

	return exitFailure
}

func exitCodeOf(code codes.Code) int {
	switch code {
	case codes.OK:
		return exitOK
	case codes.NotFound:
		return exitNotFound
	case codes.Unauthenticated, codes.PermissionDenied:
		return exitDenied
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		return exitUnavailable
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition, codes.AlreadyExists:
		return exitRefused
	case codes.Canceled:
		return exitInterrupted
	case codes.Unknown, codes.Aborted, codes.Unimplemented, codes.Internal, codes.DataLoss:
		return exitFailure
	default:
		return exitFailure
	}
}

// printError writes an error for a person: what was being done, the server's message, its
// reason code, and a line for each field that is wrong.
func printError(w io.Writer, err error) {
	s, ok := status.FromError(err)
	if !ok || s.Code() == codes.OK {
		fmt.Fprintf(w, "hale: %s\n", indent(err.Error()))

		return
	}

	text := err.Error()
	if grpc, found := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); found {
		// What wraps the status stays; the status itself is written without its frame.
		text = strings.ReplaceAll(text, grpc.Error(), grpc.GRPCStatus().Message())
	}

	if reason := reasonOf(s); reason != "" {
		text += " (" + reason + ")"
	}

	fmt.Fprintf(w, "hale: %s\n", indent(text))

	for _, detail := range s.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fmt.Fprintf(w, "  %s: %s\n", v.GetField(), v.GetDescription())
			}
		}
	}
}

// indent sets the further lines of a message off from the first.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// reasonOf returns the stable reason of a status, or the name of its code.
func reasonOf(s *status.Status) string {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}

	return s.Code().String()
}
