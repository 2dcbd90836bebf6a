package ingest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
)

func usage(id string) *eventv1.Event {
	return &eventv1.Event{
		MessageId: id, AccountId: "a", Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "f"}},
	}
}

func dial(t *testing.T, b *bundle) *grpc.ClientConn {
	t.Helper()

	cc, err := grpc.NewClient(b.service.GRPCAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cc.Close()) })

	return cc
}

func withKey(t *testing.T, key string) context.Context {
	t.Helper()

	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+key)
}

func requireReason(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()

	st := status.Convert(err)
	require.Equal(t, code, st.Code(), st.Message())

	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			require.Equal(t, reason, info.GetReason())

			return
		}
	}

	require.Fail(t, "no reason")
}

func TestGRPC(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	cc := dial(t, b)
	client := ingestv1.NewIngestServiceClient(cc)

	t.Run("a batch is taken, and what is wrong is named", func(t *testing.T) {
		t.Parallel()

		bad := usage("g2")
		bad.GetUsage().Feature = ""
		future := usage("g3")
		future.OccurredAt = &timestamppb.Timestamp{Seconds: 253402300799}

		out, err := client.Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{
			Events: []*eventv1.Event{usage("g1"), bad, future, {}},
		})
		require.NoError(t, err)
		require.Equal(t, int32(1), out.GetAccepted())
		require.Len(t, out.GetRejected(), 3)
		require.Equal(t, "usage.feature", out.GetRejected()[0].GetField())
		require.Equal(t, "required", out.GetRejected()[0].GetCode())
		require.Equal(t, "in_future", out.GetRejected()[1].GetCode())
		require.Equal(t, int32(3), out.GetRejected()[2].GetIndex())

		_, err = b.log.ParseToken(out.GetToken())
		require.NoError(t, err)
		require.Equal(t, "2026-03-04 05:06:07 +0000 UTC", b.event("g1").GetOccurredAt().AsTime().String())

		for _, s := range b.kept(CodeRequired) {
			require.Equal(t, "grpc", s.Origin)
			require.NotEmpty(t, s.Record)
		}
	})

	t.Run("a stream answers each batch, in order", func(t *testing.T) {
		t.Parallel()

		stream, err := client.PublishStream(withKey(t, b.ingest))
		require.NoError(t, err)

		for _, id := range []string{"s1", "s2", "s3"} {
			batch := &ingestv1.PublishRequest{Events: []*eventv1.Event{usage(id)}}
			require.NoError(t, stream.Send(&ingestv1.PublishStreamRequest{Batch: batch}))

			out, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, int32(1), out.GetResult().GetAccepted())
			require.NotNil(t, b.event(id))
		}

		require.NoError(t, stream.Send(&ingestv1.PublishStreamRequest{}))
		_, err = stream.Recv()
		requireReason(t, err, codes.InvalidArgument, "REQUIRED")
	})

	t.Run("history and its end need the admin key", func(t *testing.T) {
		t.Parallel()

		e := usage("h1")
		e.Historical = "load"
		in := &ingestv1.PublishRequest{Events: []*eventv1.Event{e}}

		_, err := client.Publish(withKey(t, b.ingest), in)
		requireReason(t, err, codes.PermissionDenied, "ADMIN_KEY_REQUIRED")
		_, err = client.CloseLoad(withKey(t, b.ingest), &ingestv1.CloseLoadRequest{Historical: "load"})
		requireReason(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")

		_, err = client.Publish(withKey(t, b.admin), in)
		require.NoError(t, err)
		out, err := client.CloseLoad(withKey(t, b.admin), &ingestv1.CloseLoadRequest{Historical: "load"})
		require.NoError(t, err)
		require.NotEmpty(t, out.GetToken())
		_, err = client.CloseLoad(withKey(t, b.admin), &ingestv1.CloseLoadRequest{Historical: "no load"})
		requireReason(t, err, codes.InvalidArgument, "INVALID_LOAD")
	})

	t.Run("requests that make no sense are refused", func(t *testing.T) {
		t.Parallel()

		_, err := client.Publish(t.Context(), &ingestv1.PublishRequest{})
		requireReason(t, err, codes.Unauthenticated, "KEY_MISSING")
		_, err = client.Publish(withKey(t, b.query), &ingestv1.PublishRequest{})
		requireReason(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
		_, err = client.Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{})
		requireReason(t, err, codes.InvalidArgument, "EMPTY_BATCH")
		_, err = client.Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{Events: make([]*eventv1.Event, maxNativeEvents+1)})
		requireReason(t, err, codes.InvalidArgument, "TOO_MANY_EVENTS")
	})

	t.Run("health and reflection need no key", func(t *testing.T) {
		t.Parallel()

		got, err := healthpb.NewHealthClient(cc).Check(t.Context(), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
		require.Equal(t, healthpb.HealthCheckResponse_SERVING, got.GetStatus())

		stream, err := reflectionpb.NewServerReflectionClient(cc).ServerReflectionInfo(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
		}))

		out, err := stream.Recv()
		require.NoError(t, err)
		require.Contains(t, out.String(), "hale.ingest.v1.IngestService")
		require.NoError(t, stream.CloseSend())
	})
}
