package e2e

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

// spans collects what the services export.
type spans struct {
	collector.UnimplementedTraceServiceServer

	mu    sync.Mutex
	names map[string][]string // trace id: service and name of each span
}

// Export implements the collector's service.
func (s *spans) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range r.GetResourceSpans() {
		service := ""
		for _, a := range resource.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				service = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				id := hex.EncodeToString(span.GetTraceId())
				s.names[id] = append(s.names[id], service+": "+span.GetName())
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (s *spans) of(trace string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.names[trace])
}

// has reports whether the trace holds a span of a service whose name contains part.
func (s *spans) has(trace, service, part string) bool {
	return slices.ContainsFunc(s.of(trace), func(name string) bool {
		return strings.HasPrefix(name, service+": ") && strings.Contains(strings.ToLower(name), part)
	})
}

// TestTraces follows a request through the log to the commit, and a read to the store, in a collector.
func TestTraces(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	got := &spans{names: map[string][]string{}}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, got)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c, err := rig.NewCluster(t.TempDir(), programs, rig.Options{Args: []string{"--otlp-endpoint", "http://" + listener.Addr().String()}})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	require.NoError(t, c.Start(t.Context()))

	const write, read = "0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+c.IngestHTTP+"/v1/events",
		strings.NewReader(`{"type":"usage","id":"1","account":"acme","user":"ann","feature":"reports"}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+c.Keys.Ingest)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Traceparent", "00-"+write+"-b7ad6b7169203331-01")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)

	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+read+"-b7ad6b7169203331-01")
	require.Eventually(t, func() bool {
		_, err := healthv1.NewHealthServiceClient(conn).GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)

	for _, want := range []struct{ trace, service, part string }{
		{write, "hale-ingest", "/v1/events"},
		{write, "hale-scoring", "scoring.commit"},
		{write, "hale-scoring", "evalsha"},
		{read, "hale-query", "gethealth"},
		{read, "hale-query", "mget"},
	} {
		require.Eventually(t, func() bool { return got.has(want.trace, want.service, want.part) }, 20*time.Second, 50*time.Millisecond,
			"want %v in %v", want, func() []string { return got.of(want.trace) }())
	}
}
