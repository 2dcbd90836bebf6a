package eventlog_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// values are the present figures by name; a histogram counts as its sum.
func values(t testing.TB, reader *metric.ManualReader) map[string]float64 {
	t.Helper()

	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))

	found := map[string]float64{}

	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					found[m.Name] += float64(point.Value)
				}
			case metricdata.Gauge[int64]:
				for _, point := range data.DataPoints {
					found[m.Name] += float64(point.Value)
				}
			case metricdata.Histogram[int64]:
				for _, point := range data.DataPoints {
					found[m.Name] += float64(point.Sum)
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					found[m.Name] += point.Sum
				}
			}
		}
	}

	return found
}

func TestMetrics(t *testing.T) {
	t.Parallel()

	reader := metric.NewManualReader()
	out := &telemetrytest.Buffer{}
	log := openLog(t, eventlog.Options{
		MaxBytes: 100 << 10,
		Meter:    metric.NewMeterProvider(metric.WithReader(reader)),
		Logger:   slog.New(slog.NewTextHandler(out, nil)),
	})
	w := newWriter(t, log, eventlog.WriterOptions{AlarmPeriod: 5 * time.Millisecond})

	_, err := w.Write(ctxOf(t), append(items(0, "a", 10), items(1, "b", 5)...))
	require.NoError(t, err)
	_, err = w.Write(ctxOf(t), []eventlog.Item{{Partition: 99, Record: record("a", "b")}})
	require.Error(t, err)

	got := values(t, reader)
	require.InDelta(t, 2, got["hale_log_published_batches_total"], 0)
	require.InDelta(t, 15, got["hale_log_published_records_total"], 0)
	require.InDelta(t, 15, got["hale_log_batch_records"], 0)
	require.InDelta(t, 1, got["hale_log_refused_writes_total"], 0)
	require.Greater(t, got["hale_log_batch_bytes"], 1000.)
	require.Greater(t, got["hale_log_publish_latency_seconds"], 0.)
	require.InDelta(t, 0, got["hale_log_queue_bytes"], 0)
	require.NotContains(t, out.String(), "nearly full")

	for err == nil || !strings.Contains(err.Error(), "full") {
		_, err = w.Write(ctxOf(t), items(2, "fill", 10))
	}

	require.ErrorIs(t, err, eventlog.ErrFull)
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "nearly full") }, patience, time.Millisecond)

	got = values(t, reader)
	require.InDelta(t, 1, got["hale_log_stream_full_alarm"], 0)
	require.InDelta(t, 100<<10, got["hale_log_stream_max_bytes"], 0)
	require.Greater(t, got["hale_log_stream_bytes"], 80_000.)
	require.InDelta(t, 1, got["hale_log_failed_batches_total"], 0)
}
