package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
	"hale.dev/services/internal/access"
)

const (
	// maxStreams bounds the calls that one connection has under way.
	maxStreams = 256
	// pingFrom is the least time between pings that clients may send.
	pingFrom = 10 * time.Second
)

// grpcServer answers hale.ingest.v1.
type grpcServer struct {
	ingestv1.UnimplementedIngestServiceServer

	s *Service
}

// serveGRPC serves until ctx ends, then lets calls end.
func (s *Service) serveGRPC(ctx context.Context) error {
	server, alive, err := s.grpcServer()
	if err != nil {
		return err
	}

	stopped := make(chan struct{})

	go func() {
		defer close(stopped)

		<-ctx.Done()
		alive.Shutdown()

		done := make(chan struct{})
		go func() { server.GracefulStop(); close(done) }()

		select {
		case <-done:
		case <-time.After(s.cfg.Drain):
			server.Stop()
			<-done
		}
	}()

	if err := server.Serve(s.grpc); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("ingest: serving gRPC: %w", err)
	}

	<-stopped

	return nil
}

// grpcServer makes the server with all its services.
func (s *Service) grpcServer() (*grpc.Server, *health.Server, error) {
	tlsConfig, err := s.cfg.tls(s.deps.Logger)
	if err != nil {
		return nil, nil, err
	}

	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(access.UnaryInterceptor(s.deps.Keyring, grpcRule)),
		grpc.ChainStreamInterceptor(access.StreamInterceptor(s.deps.Keyring, grpcRule)),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(s.deps.Tracer),
			otelgrpc.WithPropagators(propagation.TraceContext{}), otelgrpc.WithMeterProvider(noMeter()))),
		grpc.MaxRecvMsgSize(maxNativeBody), grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingFrom, PermitWithoutStream: true}),
	}
	if tlsConfig != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(tlsConfig)))
	}

	server, alive := grpc.NewServer(options...), health.NewServer()
	ingestv1.RegisterIngestServiceServer(server, &grpcServer{s: s})
	healthpb.RegisterHealthServer(server, alive)
	reflection.Register(server)

	return server, alive, nil
}

// grpcRule lets everyone ask for health and reflection, and those with a fitting key for the rest.
func grpcRule(method string) access.Need {
	switch {
	case strings.HasPrefix(method, "/grpc."):
		return access.Need{}
	case method == ingestv1.IngestService_CloseLoad_FullMethodName:
		return access.Any(access.RoleAdmin)
	default:
		return access.Any(access.RoleIngest, access.RoleAdmin)
	}
}

// Publish implements ingestv1.IngestServiceServer.
func (g *grpcServer) Publish(ctx context.Context, in *ingestv1.PublishRequest) (*ingestv1.PublishResponse, error) {
	began := time.Now()
	out, err := g.publish(ctx, in)

	var code Code
	if err != nil {
		code = asProblem(err).Code
	}

	g.s.publisher.metrics.request(ctx, ingestv1.IngestService_Publish_FullMethodName, code, time.Since(began))

	return out, err
}

func (g *grpcServer) publish(ctx context.Context, in *ingestv1.PublishRequest) (*ingestv1.PublishResponse, error) {
	switch n := len(in.GetEvents()); {
	case n == 0:
		return nil, malformed(CodeEmptyBatch, "the request has no event")
	case n > maxNativeEvents:
		return nil, malformed(CodeTooManyEvents, fmt.Sprintf("a request may have at most %d events", maxNativeEvents))
	}

	// It is in memory already; what is bounded is how much of it may wait.
	held := int64(proto.Size(in)) * copies
	if !g.s.budget.take(held) {
		return nil, errBusy()
	}
	defer g.s.budget.give(held)

	who, _ := access.FromContext(ctx)
	req := &request{
		workspace: who.Workspace, origin: originGRPC, arrival: g.s.cfg.Now().UnixMicro(),
		admin: who.Role == access.RoleAdmin, entries: make([]entry, len(in.GetEvents())),
	}

	for i, e := range in.GetEvents() {
		req.entries[i] = req.decoded(e)
	}

	res, err := g.s.publisher.publish(ctx, req)
	if err != nil {
		return nil, err
	}

	out := &ingestv1.PublishResponse{Accepted: small(res.accepted), Token: res.token()}
	for _, r := range res.rejected {
		out.Rejected = append(out.Rejected, &ingestv1.Rejection{
			Index: small(r.index), MessageId: r.messageID, Field: r.field, Code: string(r.code), Message: r.message,
		})
	}

	return out, nil
}

// small converts a count of events, which a request bounds.
func small(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // bounded

// decoded makes an entry of an event that came decoded.
func (r *request) decoded(e *eventv1.Event) entry {
	at := r.arrival
	if t := e.GetOccurredAt(); t != nil {
		at = t.AsTime().UnixMicro()
	}

	return entry{event: e, at: at, messageID: e.GetMessageId()}
}

// PublishStream implements ingestv1.IngestServiceServer. A batch is answered before the next is read, so that what
// one batch teaches the directory holds for the next.
func (g *grpcServer) PublishStream(
	stream ingestv1.IngestService_PublishStreamServer,
) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}

		if err != nil {
			return err //nolint:wrapcheck // it is a status already
		}

		if in.GetBatch() == nil {
			return malformed(CodeRequired, "batch must be set")
		}

		out, err := g.Publish(stream.Context(), in.GetBatch())
		if err != nil {
			return err
		}

		if err := stream.Send(&ingestv1.PublishStreamResponse{Result: out}); err != nil {
			return err //nolint:wrapcheck // it is a status already
		}
	}
}

// CloseLoad implements ingestv1.IngestServiceServer.
func (g *grpcServer) CloseLoad(ctx context.Context, in *ingestv1.CloseLoadRequest) (*ingestv1.CloseLoadResponse, error) {
	who, _ := access.FromContext(ctx)

	token, err := g.s.publisher.closeLoad(ctx, who.Workspace, originGRPC, in.GetHistorical())
	if err != nil {
		return nil, err
	}

	return &ingestv1.CloseLoadResponse{Token: token}, nil
}
