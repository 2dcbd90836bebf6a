// Package telemetrytest lets tests read what a part logs and counts while it runs.
package telemetrytest

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Buffer is an output that may be read while it is written. The zero value is empty.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.b.Write(p) //nolint:wrapcheck // never an error
}

// String is all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.b.String()
}

// Counter returns the sum of a counter's points whose attribute has a value; an empty key takes all.
func Counter(t testing.TB, reader *metric.ManualReader, name, key, value string) (sum int64) {
	t.Helper()

	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &got))

	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			data, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != name {
				continue
			}

			for _, p := range data.DataPoints {
				if v, _ := p.Attributes.Value(attribute.Key(key)); key == "" || v.AsString() == value {
					sum += p.Value
				}
			}
		}
	}

	return sum
}
