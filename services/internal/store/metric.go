package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Metrics are what every engine counts of its commits. The zero value cannot be used; see NewMetrics.
type Metrics struct {
	seconds metric.Float64Histogram
	commits metric.Int64Counter
	results map[string]metric.MeasurementOption
	engine  metric.MeasurementOption
}

// NewMetrics makes the instruments of one engine ("redis", "memory"). A nil provider counts nothing.
func NewMetrics(p metric.MeterProvider, engine string) (*Metrics, error) {
	if p == nil {
		p = noop.NewMeterProvider()
	}
	meter := p.Meter("hale.dev/services/internal/store")
	seconds, err := meter.Float64Histogram("hale_store_commit_seconds", metric.WithUnit("s"),
		metric.WithDescription("How long commits took, by engine."),
		metric.WithExplicitBucketBoundaries(.0001, .00025, .0005, .001, .002, .004, .008, .016, .032, .064, .128, .256, .512, 1, 2, 4))
	if err != nil {
		return nil, fmt.Errorf("making the commit histogram: %w", err)
	}
	commits, err := meter.Int64Counter("hale_store_commits_total",
		metric.WithDescription("Commits by engine and result: ok, fenced, unknown, refused."))
	if err != nil {
		return nil, fmt.Errorf("making the commit counter: %w", err)
	}
	m := &Metrics{seconds: seconds, commits: commits, results: map[string]metric.MeasurementOption{}}
	m.engine = metric.WithAttributeSet(attribute.NewSet(attribute.String("engine", engine)))
	for _, r := range []string{"ok", "fenced", "unknown", "refused"} {
		m.results[r] = metric.WithAttributeSet(attribute.NewSet(attribute.String("engine", engine), attribute.String("result", r)))
	}
	return m, nil
}

// Committed counts one commit that took d and ended with err.
func (m *Metrics) Committed(ctx context.Context, d time.Duration, err error) {
	result := "refused"
	switch {
	case err == nil:
		result = "ok"
	case errors.Is(err, ErrFenced):
		result = "fenced"
	case errors.Is(err, ErrUnknown):
		result = "unknown"
	}
	m.seconds.Record(ctx, d.Seconds(), m.engine)
	m.commits.Add(ctx, 1, m.results[result])
}
