package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/query"
)

func TestCallsAreTimed(t *testing.T) {
	t.Parallel()

	reader := sdkmetric.NewManualReader()
	w := start(t, openMemory(t), func(_ *query.Config, d *query.Deps) {
		d.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	})
	w.score(home, "acme", noon(), 0, used("acme"))

	for _, account := range []string{"acme", "acme", "nobody"} {
		_, _ = w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: account})
	}

	var all metricdata.ResourceMetrics

	require.NoError(t, reader.Collect(t.Context(), &all))

	counts := map[string]uint64{}

	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "rpc.server.call.duration" {
				continue
			}

			data, ok := m.Data.(metricdata.Histogram[float64])
			require.True(t, ok)
			require.Equal(t, "s", m.Unit)

			for _, p := range data.DataPoints {
				method, _ := p.Attributes.Value(attribute.Key("rpc.method"))
				code, _ := p.Attributes.Value(attribute.Key("rpc.response.status_code"))
				counts[method.AsString()+" "+code.AsString()] = p.Count
			}
		}
	}

	const method = "hale.health.v1.HealthService/GetHealth "

	require.EqualValues(t, 2, counts[method+codes.OK.String()])
	require.EqualValues(t, 1, counts[method+codes.NotFound.String()])
}

func TestACallersTraceGoesIntoTheLog(t *testing.T) {
	t.Parallel()

	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	w, _, client := careWorld(t, openMemory(t)) // it records no spans
	ctx := metadata.AppendToOutgoingContext(w.as(access.RoleAdmin), "traceparent", trace)

	_, err := client.SetOverride(ctx, overriding(5))
	require.NoError(t, err)

	found := ""

	require.ErrorIs(t, w.log.Read(t.Context(), w.log.Layout().Stream(w.log.Layout().Partition(home, "acme")), 0,
		func(m *eventlog.Message) error {
			for _, r := range m.Records {
				if r.GetAccountCommand() != nil {
					found = m.Header.Get("traceparent")

					return errRepair // seen enough
				}
			}

			return nil
		}), errRepair)
	require.Contains(t, found, "0af7651916cd43dd8448eb211c80319c")
}
