package telemetry_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"hale.dev/services/internal/telemetry"
)

func TestSetup(t *testing.T) {
	t.Parallel()

	t.Run("shows what is measured under its Prometheus name", func(t *testing.T) {
		t.Parallel()

		tel, err := telemetry.Setup(t.Context(), telemetry.Config{Service: "hale-test", Version: "1.2.3"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })

		counter, err := tel.Meter.Meter("test").Int64Counter("hale_test_events_total")
		require.NoError(t, err)
		counter.Add(t.Context(), 3)

		families, err := tel.Metrics.Gather()
		require.NoError(t, err)

		values := map[string]float64{}
		for _, f := range families {
			values[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue()
		}

		require.InDelta(t, 3, values["hale_test_events_total"], 0)
		require.Contains(t, values, "go_goroutines")
	})

	t.Run("gives each process providers of its own", func(t *testing.T) {
		t.Parallel()

		a, err := telemetry.Setup(t.Context(), telemetry.Config{})
		require.NoError(t, err)
		b, err := telemetry.Setup(t.Context(), telemetry.Config{})
		require.NoError(t, err)
		require.NotSame(t, a.Metrics, b.Metrics)
		require.NoError(t, a.Shutdown(t.Context()))
		require.NoError(t, b.Shutdown(t.Context()))
	})

	t.Run("records no spans without a collector", func(t *testing.T) {
		t.Parallel()

		tel, err := telemetry.Setup(t.Context(), telemetry.Config{})
		require.NoError(t, err)
		require.IsType(t, noop.TracerProvider{}, tel.Tracer)
		require.NoError(t, tel.Shutdown(t.Context()))
	})

	t.Run("refuses settings that cannot be used", func(t *testing.T) {
		t.Parallel()

		_, err := telemetry.Setup(t.Context(), telemetry.Config{TraceRatio: 2})
		require.ErrorContains(t, err, "trace ratio 2: must be from 0 to 1")
	})
}

func TestTracesReachTheCollector(t *testing.T) {
	t.Parallel()

	sink := &sink{services: make(chan string, 1)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, sink)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-done)
	})

	tel, err := telemetry.Setup(t.Context(), telemetry.Config{
		Service: "hale-test", OTLPEndpoint: "http://" + ln.Addr().String(),
	})
	require.NoError(t, err)

	_, span := tel.Tracer.Tracer("test").Start(t.Context(), "work", trace.WithSpanKind(trace.SpanKindServer))
	span.End()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, tel.Shutdown(ctx))
	require.Equal(t, "hale-test", <-sink.services)
}

// sink is a collector that remembers which service the spans came from.
type sink struct {
	collector.UnimplementedTraceServiceServer

	services chan string
}

func (s *sink) Export(
	_ context.Context, r *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	for _, a := range r.GetResourceSpans()[0].GetResource().GetAttributes() {
		if a.GetKey() == "service.name" {
			s.services <- a.GetValue().GetStringValue()
		}
	}

	return &collector.ExportTraceServiceResponse{}, nil
}
