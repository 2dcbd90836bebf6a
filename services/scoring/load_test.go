package scoring

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestTellCached(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	m, err := newMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	require.NoError(t, err)
	s := &Service{metrics: m}
	one, other := &worker{service: s}, &worker{service: s}
	told := func() int64 {
		var all metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &all))
		for _, one := range all.ScopeMetrics[0].Metrics {
			if one.Name == "hale_scoring_cache" {
				return one.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
			}
		}
		return -1
	}

	t.Run("the gauge is the sum of what all workers keep", func(t *testing.T) {
		one.tellCached(100)
		other.tellCached(50)
		require.EqualValues(t, 150, told())
	})

	t.Run("a worker that ends keeps nothing", func(t *testing.T) {
		one.tellCached(0)
		require.EqualValues(t, 50, told())
	})
}
