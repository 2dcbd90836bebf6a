package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"hale.dev/services/internal/listener"
	"hale.dev/services/internal/listener/listenertest"
	"hale.dev/services/internal/telemetry"
)

func TestReadiness(t *testing.T) {
	t.Parallel()

	t.Run("without checks a process is ready", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, new(telemetry.Readiness).NotReady())
	})

	t.Run("names what is not ready and why, by name", func(t *testing.T) {
		t.Parallel()

		ready := &telemetry.Readiness{}
		ready.Add("scoring", func() error { return errors.New("3,000 messages behind") })
		ready.Add("query", func() error { return nil })
		ready.Add("ingest", func() error { return errors.New("starting") })
		require.Equal(t, []telemetry.NotReady{
			{Name: "ingest", Reason: "starting"},
			{Name: "scoring", Reason: "3,000 messages behind"},
		}, ready.NotReady())
	})
}

func TestHandler(t *testing.T) {
	t.Parallel()

	tel, err := telemetry.Setup(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })

	broken := errors.New("no store")

	ready := &telemetry.Readiness{}
	ready.Add("scoring", func() error { return broken })
	handler := telemetry.Handler(tel.Metrics, ready)

	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))

		return w
	}

	w := get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"status":"not ready","not_ready":[{"name":"scoring","reason":"no store"}]}`, w.Body.String())

	broken = nil
	w = get("/readyz")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"status":"ready"}`, w.Body.String())

	require.JSONEq(t, `{"status":"ok"}`, get("/healthz").Body.String())
	require.Contains(t, get("/metrics").Body.String(), "go_goroutines")
	require.Equal(t, http.StatusOK, get("/debug/pprof/").Code)
	require.Equal(t, http.StatusNotFound, get("/elsewhere").Code)
}

func TestExemplars(t *testing.T) {
	t.Parallel()

	tel, err := telemetry.Setup(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })

	histogram, err := tel.Meter.Meter("test").Float64Histogram("hale_test_seconds")
	require.NoError(t, err)

	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab, 1}, SpanID: trace.SpanID{0xcd, 2}, TraceFlags: trace.FlagsSampled,
	})
	histogram.Record(trace.ContextWithSpanContext(t.Context(), span), 0.25)
	histogram.Record(trace.ContextWithSpanContext(t.Context(), span.WithTraceFlags(0).WithTraceID(trace.TraceID{0xee})), 0.75)

	scrape := func(accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", accept)

		w := httptest.NewRecorder()
		telemetry.Handler(tel.Metrics, &telemetry.Readiness{}).ServeHTTP(w, r)

		return w
	}

	w := scrape("application/openmetrics-text; version=1.0.0")
	require.Contains(t, w.Header().Get("Content-Type"), "application/openmetrics-text")
	require.Regexp(t, `hale_test_seconds_bucket\{.*\} \d+ # \{.*trace_id="ab01`+strings.Repeat("0", 28)+`".*\} 0\.25`, w.Body.String())
	require.NotContains(t, w.Body.String(), `trace_id="ee`, "nobody keeps that trace")
	require.NotContains(t, scrape("text/plain").Body.String(), "trace_id")
}

func TestServe(t *testing.T) {
	t.Parallel()

	t.Run("answers until its context ends", func(t *testing.T) {
		t.Parallel()

		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)

		go func() {
			done <- telemetry.Serve(ctx, ln, nil, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		}()

		r, err := http.Get("http://" + ln.Addr().String() + "/")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, http.StatusNotFound, r.StatusCode)

		cancel()
		require.NoError(t, <-done)
	})

	t.Run("lets in those who show a certificate, where one is asked for", func(t *testing.T) {
		t.Parallel()

		ours := listenertest.New(t)
		cert, key := ours.Issue(t, t.TempDir(), 1)
		secure, err := listener.TLS{Cert: cert, Key: key, ClientCA: ours.File}.Config(slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)

		go func() {
			done <- telemetry.Serve(ctx, ln, secure, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		}()

		get := func(of *listenertest.Authority) error {
			transport := &http.Transport{TLSClientConfig: ours.Client(t, of), DisableKeepAlives: true}

			r, err := (&http.Client{Transport: transport}).Get("https://" + ln.Addr().String() + "/")
			if err == nil {
				err = r.Body.Close()
			}

			return err
		}

		require.NoError(t, get(ours))
		require.Error(t, get(nil))
		require.Error(t, get(listenertest.New(t)))

		cancel()
		require.NoError(t, <-done)
	})

	t.Run("says when its listener fails", func(t *testing.T) {
		t.Parallel()

		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		err = telemetry.Serve(t.Context(), ln, nil, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "serving admin requests on")
	})
}
