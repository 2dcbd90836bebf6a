package reason_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"hale.dev/services/internal/reason"
)

func TestStatus(t *testing.T) {
	t.Parallel()

	t.Run("it carries code, message, reason and details", func(t *testing.T) {
		t.Parallel()

		bad := &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "account_id"}}}
		st := reason.Status(codes.InvalidArgument, "REQUEST_INVALID", "no account", bad)
		require.Equal(t, codes.InvalidArgument, st.Code())
		require.Equal(t, "no account", st.Message())

		details := st.Details()
		require.Len(t, details, 2)

		info, ok := details[0].(*errdetails.ErrorInfo)
		require.True(t, ok)
		require.Equal(t, "REQUEST_INVALID", info.GetReason())
		require.Equal(t, "hale", info.GetDomain())

		again, ok := details[1].(*errdetails.BadRequest)
		require.True(t, ok)
		require.True(t, proto.Equal(bad, again))
	})
	t.Run("a detail that cannot be marshalled leaves code and message", func(t *testing.T) {
		t.Parallel()

		st := reason.Status(codes.Internal, "BROKEN", "broken", &errdetails.RequestInfo{RequestId: "\xff"})
		require.Equal(t, codes.Internal, st.Code())
		require.Equal(t, "broken", st.Message())
		require.Empty(t, st.Details())
	})
}
