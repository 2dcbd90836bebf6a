package eventlog_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"hale.dev/services/internal/eventlog"
)

func TestCarrier(t *testing.T) {
	t.Parallel()

	t.Run("finds a header whatever its case", func(t *testing.T) {
		t.Parallel()

		const value = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01"

		for _, name := range []string{"traceparent", "Traceparent", "TRACEPARENT"} {
			carrier := eventlog.Carrier(nats.Header{name: {value}})
			ctx := propagation.TraceContext{}.Extract(t.Context(), carrier)
			require.Equal(t, "0102030405060708090a0b0c0d0e0f10", trace.SpanContextFromContext(ctx).TraceID().String())
		}
	})

	t.Run("keeps one header of a name", func(t *testing.T) {
		t.Parallel()

		carrier := eventlog.Carrier(nats.Header{"Traceparent": {"old"}, "other": {"x"}})
		carrier.Set("traceparent", "new")
		require.Equal(t, "new", carrier.Get("TraceParent"))
		require.ElementsMatch(t, []string{"traceparent", "other"}, carrier.Keys())
	})

	t.Run("has nothing where there is nothing", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, eventlog.Carrier(nil).Get("traceparent"))
		require.Empty(t, eventlog.Carrier{"traceparent": nil}.Get("traceparent"))
	})
}
