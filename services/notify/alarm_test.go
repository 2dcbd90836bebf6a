package notify_test

import (
	"bytes"
	"context"
	"sync"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

func (l *logged) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.String()
}

// alarms is how many alarms of a code were counted.
func (w *world) alarms(code string) int64 { return w.counter("hale.notify.alarms", "code", code) }

// counter returns the sum of a counter's points with an attribute.
func (w *world) counter(name, key, value string) (sum int64) {
	w.t.Helper()

	var got metricdata.ResourceMetrics
	require.NoError(w.t, w.metrics.Collect(context.Background(), &got))

	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			data, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != name {
				continue
			}

			for _, p := range data.DataPoints {
				if v, _ := p.Attributes.Value(attribute.Key(key)); v.AsString() == value {
					sum += p.Value
				}
			}
		}
	}

	return sum
}
