package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

func TestMetricsCountBySourceAndCode(t *testing.T) {
	t.Parallel()

	reader := sdkmetric.NewManualReader()
	m, err := newMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	require.NoError(t, err)

	good := entry{event: &eventv1.Event{Body: &eventv1.Event_Login{Login: &eventv1.Login{}}}}
	m.events(t.Context(), &request{entries: []entry{good, good, {bad: violates("", CodeMalformedJSON, "m")}}})
	m.request(t.Context(), "/v1/track", "", 1)
	m.request(t.Context(), "/v1/track", CodeBusy, 1)
	m.decoded(t.Context(), originNative, 1)
	m.again(t.Context(), "ok")

	var got metricdata.ResourceMetrics

	require.NoError(t, reader.Collect(t.Context(), &got))

	counts := make(map[string]int64)

	for _, s := range got.ScopeMetrics {
		for _, m := range s.Metrics {
			require.NotEmpty(t, m.Description)

			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok {
				continue
			}

			for _, p := range sum.DataPoints {
				counts[m.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
			}
		}
	}

	require.Equal(t, map[string]int64{
		"hale_ingest_events_accepted source=login":                2,
		"hale_ingest_events_rejected code=malformed_json,source=": 1,
		"hale_ingest_requests code=ok,route=/v1/track":            1,
		"hale_ingest_requests code=busy,route=/v1/track":          1,
		"hale_ingest_events_resent code=ok":                       1,
	}, counts)
}
