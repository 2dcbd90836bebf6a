package telemetry_test

import (
	"bytes"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"hale.dev/services/internal/telemetry"
)

func TestValidate(t *testing.T) {
	t.Parallel()

	t.Run("the zero value works", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, telemetry.Config{}.Validate())
	})

	t.Run("every wrong setting is named", func(t *testing.T) {
		t.Parallel()

		err := telemetry.Config{
			OTLPEndpoint: "localhost:4317", TraceRatio: math.NaN(), LogLevel: "loud", LogFormat: "xml",
		}.Validate()
		require.ErrorContains(t, err, `otlp endpoint "localhost:4317"`)
		require.ErrorContains(t, err, "trace ratio NaN")
		require.ErrorContains(t, err, `log level "loud"`)
		require.ErrorContains(t, err, `log format "xml"`)
	})

	t.Run("every documented level is taken", func(t *testing.T) {
		t.Parallel()

		for _, level := range []string{"debug", "info", "warn", "error"} {
			require.NoError(t, telemetry.Config{LogLevel: level}.Validate())
		}
	})
}

func TestLogger(t *testing.T) {
	t.Parallel()

	t.Run("writes JSON and leaves out what is below the level", func(t *testing.T) {
		t.Parallel()

		var out bytes.Buffer
		logger, err := telemetry.NewLogger(telemetry.Config{LogLevel: "warn", LogFormat: "json"}, &out)
		require.NoError(t, err)
		logger.Info("quiet")
		logger.Warn("heard", slog.Int("n", 1))
		require.NotContains(t, out.String(), "quiet")
		require.Contains(t, out.String(), `"msg":"heard","n":1`)
	})

	t.Run("names the trace of the context", func(t *testing.T) {
		t.Parallel()

		var out bytes.Buffer
		logger, err := telemetry.NewLogger(telemetry.Config{}, &out)
		require.NoError(t, err)

		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
		ctx := trace.ContextWithSpanContext(t.Context(), span)
		logger.With("part", "x").InfoContext(ctx, "working")
		require.Contains(t, out.String(), "part=x trace_id=01000000000000000000000000000000")
	})

	t.Run("refuses an unknown format and an unknown level", func(t *testing.T) {
		t.Parallel()

		_, err := telemetry.NewLogger(telemetry.Config{LogFormat: "xml"}, &bytes.Buffer{})
		require.Error(t, err)
		_, err = telemetry.NewLogger(telemetry.Config{LogLevel: "loud"}, &bytes.Buffer{})
		require.Error(t, err)
	})
}
