package ingest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/telemetry"
)

// A slow request can be found from the metrics: its trace hangs on the measurements of the request and of its batch.
func TestExemplarsLeadToTheTrace(t *testing.T) {
	t.Parallel()

	tel, err := telemetry.Setup(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })

	nc, _ := natstest.Start(t, natsserver.Options{})
	b := newBundleOn(t, nc, eventlog.Options{Partitions: 4, MaxBytes: 1 << 30, Meter: tel.Meter}, Config{})

	d := b.deps
	d.Meter, d.Tracer = tel.Meter, sdktrace.NewTracerProvider()
	d.HTTP, d.GRPC = loopback(t), loopback(t)
	s, err := New(Config{}, d)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	const id = "0af7651916cd43dd8448eb211c80319c"

	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, events, strings.NewReader(usageJSON("")))
	req.SetBasicAuth(b.ingest, "")
	req.Header.Set("Traceparent", "00-"+id+"-b7ad6b7169203331-01")

	res := httptest.NewRecorder()
	s.Handler().ServeHTTP(res, req)
	require.Equal(t, http.StatusOK, res.Code, res.Body)

	scrape := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	scrape.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")

	res = httptest.NewRecorder()
	telemetry.Handler(tel.Metrics, &telemetry.Readiness{}).ServeHTTP(res, scrape)

	for _, name := range []string{
		"hale_ingest_request_duration_seconds", "hale_log_publish_latency_seconds", "hale_log_batch_records", "hale_log_batch_bytes",
	} {
		require.Regexp(t, name+`_bucket\{.*\} 1 # \{.*trace_id="`+id+`"`, res.Body.String())
	}
}
