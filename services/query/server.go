package query

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"connectrpc.com/vanguard"
	"connectrpc.com/vanguard/vanguardgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/proto/gen/openapi"
	"hale.dev/services/internal/access"
)

const (
	// maxRequest bounds a request, bytes; scorecards are the largest ones.
	maxRequest = 1 << 20
	// maxAnswer bounds what is buffered to transcode an answer, bytes.
	maxAnswer = 32 << 20
	// headerTimeout and idleTimeout bound what a silent HTTP client holds.
	headerTimeout, idleTimeout = 10 * time.Second, 2 * time.Minute
	// minPing is how often clients may ping an idle connection.
	minPing = 10 * time.Second
	// announceEvery is how often readiness is looked at, for the health service.
	announceEvery = 200 * time.Millisecond
)

// servers are what listens.
type servers struct {
	grpc   *grpc.Server
	http   *http.Server
	health *health.Server
}

// newServers registers everything that the service offers.
func newServers(s *Service) (*servers, error) {
	validator, err := newValidator()
	if err != nil {
		return nil, err
	}

	rule := newPermissions().rule
	out := outcomes{metrics: s.metrics, logger: s.deps.Logger}
	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(
			out.unary, access.UnaryInterceptor(s.deps.Keyring, rule), validateUnary(validator),
		),
		grpc.ChainStreamInterceptor(
			out.stream, access.StreamInterceptor(s.deps.Keyring, rule), validateStream(validator),
		),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
	}

	if _, off := s.deps.Tracer.(tracenoop.TracerProvider); !off {
		options = append(options, grpc.StatsHandler(otelgrpc.NewServerHandler(
			otelgrpc.WithTracerProvider(s.deps.Tracer), otelgrpc.WithMeterProvider(metricnoop.NewMeterProvider()),
			otelgrpc.WithPropagators(propagation.TraceContext{}),
		)))
	}

	if s.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.tls)))
	}

	srv := &servers{grpc: grpc.NewServer(options...), health: health.NewServer()}
	srv.announce(grpc_health_v1.HealthCheckResponse_NOT_SERVING)

	healthv1.RegisterHealthServiceServer(srv.grpc, &healthServer{service: s})
	alertv1.RegisterAlertServiceServer(srv.grpc, &alertServer{service: s})
	adminv1.RegisterAdminServiceServer(srv.grpc, &adminServer{service: s})
	grpc_health_v1.RegisterHealthServer(srv.grpc, srv.health)
	reflection.Register(srv.grpc)

	transcoder, err := vanguardgrpc.NewTranscoder(srv.grpc, vanguard.WithCodec(newJSONCodec), vanguard.WithDefaultServiceOptions(
		vanguard.WithTargetCodecs(vanguard.CodecProto),
		vanguard.WithTargetProtocols(vanguard.ProtocolGRPC),
		vanguard.WithMaxMessageBufferBytes(maxAnswer),
	))
	if err != nil {
		return nil, fmt.Errorf("query: offering JSON, Connect and gRPC-Web: %w", err)
	}

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC works on this listener too

	srv.http = &http.Server{
		Handler:   allowOrigins(s.cfg.CORSOrigins, documented(openapi.Document, s.deps.Logger, plain(transcoder))),
		Protocols: protocols, TLSConfig: s.tls, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
	}

	return srv, nil
}

// run serves until ctx ends, then stops in order.
func (srv *servers) run(ctx context.Context, s *Service) error {
	grpcListener, err := listen(ctx, s.deps.GRPC, s.cfg.GRPC)
	if err != nil {
		return err
	}

	httpListener, err := listen(ctx, s.deps.HTTP, s.cfg.HTTP)
	if err != nil {
		return errors.Join(err, grpcListener.Close())
	}

	s.deps.Logger.InfoContext(ctx, "query is listening",
		"grpc", grpcListener.Addr().String(), "http", httpListener.Addr().String(), "tls", s.tls != nil)

	g, ctx := errgroup.WithContext(ctx)

	g.Go(func() error {
		if err := srv.grpc.Serve(grpcListener); err != nil {
			return fmt.Errorf("query: serving gRPC: %w", err)
		}

		return nil
	})
	g.Go(func() error {
		serve := srv.http.Serve
		if s.tls != nil {
			serve = func(l net.Listener) error { return srv.http.ServeTLS(l, "", "") }
		}

		if err := serve(httpListener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("query: serving HTTP: %w", err)
		}

		return nil
	})
	g.Go(func() error {
		srv.follow(ctx, s)

		return srv.stop(context.WithoutCancel(ctx), s)
	})

	return g.Wait() //nolint:wrapcheck // the errors above
}

// follow tells the health service whether the service is ready, until ctx ends.
func (srv *servers) follow(ctx context.Context, s *Service) {
	for {
		serving := grpc_health_v1.HealthCheckResponse_SERVING
		if s.Ready() != nil {
			serving = grpc_health_v1.HealthCheckResponse_NOT_SERVING
		}

		srv.announce(serving)

		if sleep(ctx, announceEvery) != nil {
			return
		}
	}
}

// announce sets the state of all services.
func (srv *servers) announce(state grpc_health_v1.HealthCheckResponse_ServingStatus) {
	for _, name := range []string{
		"", healthv1.HealthService_ServiceDesc.ServiceName, adminv1.AdminService_ServiceDesc.ServiceName,
		alertv1.AlertService_ServiceDesc.ServiceName,
	} {
		srv.health.SetServingStatus(name, state)
	}
}

// stop lets the calls under way end, for as long as Config.Drain.
func (srv *servers) stop(ctx context.Context, s *Service) error {
	s.state.Store(&errStopping)
	srv.health.Shutdown()
	close(s.stopping)

	ctx, cancel := context.WithTimeout(ctx, s.cfg.Drain)
	defer cancel()

	err := srv.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.http.Close()
	}

	force := context.AfterFunc(ctx, srv.grpc.Stop)
	defer force()

	srv.grpc.GracefulStop()

	if err != nil {
		return fmt.Errorf("query: closing HTTP: %w", err)
	}

	return nil
}

// listen returns the listener that was given, or one on the address.
func listen(ctx context.Context, given net.Listener, address string) (net.Listener, error) {
	if given != nil {
		return given, nil
	}

	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("query: listening on %s: %w", address, err)
	}

	return l, nil
}
