package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExitCode(t *testing.T) {
	t.Parallel()

	for want, errs := range map[int][]error{
		exitOK:      {nil},
		exitFailure: {errors.New("x"), status.Error(codes.Internal, "x"), status.Error(codes.Unimplemented, "x")},
		exitUsage:   {usageError("x"), fmt.Errorf("wrapped: %w", usageError("x"))},
		exitNotFound: {
			status.Error(codes.NotFound, "x"), fmt.Errorf("reading: %w", status.Error(codes.NotFound, "x")),
		},
		exitDenied:      {status.Error(codes.Unauthenticated, "x"), status.Error(codes.PermissionDenied, "x")},
		exitUnavailable: {status.Error(codes.Unavailable, "x"), status.Error(codes.DeadlineExceeded, "x"), context.DeadlineExceeded},
		exitRefused:     {status.Error(codes.InvalidArgument, "x"), refused("x")},
		exitInterrupted: {context.Canceled, status.Error(codes.Canceled, "x")},
	} {
		for _, err := range errs {
			require.Equal(t, want, exitCode(err), "%v", err)
		}

		require.Contains(t, exitCodesHelp, fmt.Sprintf("\n  %-4d ", want), "documented")
	}
}

func TestPrintError(t *testing.T) {
	t.Parallel()

	t.Run("a plain error is one line", func(t *testing.T) {
		t.Parallel()

		var out bytes.Buffer
		printError(&out, errors.New("no disk"))
		require.Equal(t, "hale: no disk\n", out.String())
	})

	t.Run("a server's error shows what was being done, its reason and its fields", func(t *testing.T) {
		t.Parallel()

		s, err := status.New(codes.InvalidArgument, "the request is wrong").WithDetails(
			&errdetails.ErrorInfo{Reason: "INVALID", Domain: "hale"},
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "page_size", Description: "must be at most 1000"},
			}})
		require.NoError(t, err)

		var out bytes.Buffer
		printError(&out, fmt.Errorf("listing accounts: %w", s.Err()))
		require.Equal(t, "hale: listing accounts: the request is wrong (INVALID)\n  page_size: must be at most 1000\n", out.String())
	})

	t.Run("without a reason the code stands for it", func(t *testing.T) {
		t.Parallel()

		var out bytes.Buffer
		printError(&out, status.Error(codes.Unavailable, "no route"))
		require.Equal(t, "hale: no route (Unavailable)\n", out.String())
	})
}
