package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// How a creation or a reading through may end, in metrics.
const (
	resultOK      = "ok"
	resultDamaged = "damaged"
	resultFailed  = "failed"
)

// archiveMetrics are the measurements of one archive.
type archiveMetrics struct {
	created, verified, removed metric.Int64Counter
	bytes                      metric.Int64Histogram
	seconds                    metric.Float64Histogram
}

func newArchiveMetrics(meter metric.Meter) (*archiveMetrics, error) {
	if meter == nil {
		meter = noop.Meter{}
	}

	created, err1 := meter.Int64Counter("hale_snapshot_created_total",
		metric.WithDescription("Snapshots that were begun, by result: ok, damaged (read back wrong), failed."))
	verified, err2 := meter.Int64Counter("hale_snapshot_verified_total",
		metric.WithDescription("Stored snapshots that were read through, by result: ok, damaged, failed (not readable now)."))
	removed, err3 := meter.Int64Counter("hale_snapshot_removed_total",
		metric.WithDescription("Snapshots that were removed because newer good ones exist."))
	size, err4 := meter.Int64Histogram("hale_snapshot_bytes", metric.WithUnit("By"),
		metric.WithDescription("Size of a created snapshot as it is stored."),
		metric.WithExplicitBucketBoundaries(1<<12, 1<<16, 1<<20, 1<<22, 1<<24, 1<<26, 1<<28, 1<<30, 1<<32))
	seconds, err5 := meter.Float64Histogram("hale_snapshot_seconds", metric.WithUnit("s"),
		metric.WithDescription("How long creating a snapshot took, until it was read back."),
		metric.WithExplicitBucketBoundaries(.01, .05, .1, .5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800))

	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, fmt.Errorf("making the instruments of snapshots: %w", err)
	}

	return &archiveMetrics{created: created, verified: verified, removed: removed, bytes: size, seconds: seconds}, nil
}

// made counts one creation.
func (m *archiveMetrics) made(ctx context.Context, d time.Duration, size int64, err error) {
	m.created.Add(ctx, 1, result(err))

	if err == nil {
		m.bytes.Record(ctx, size)
		m.seconds.Record(ctx, d.Seconds())
	}
}

// checked counts one reading through.
func (m *archiveMetrics) checked(ctx context.Context, err error) { m.verified.Add(ctx, 1, result(err)) }

func result(err error) metric.MeasurementOption {
	name := resultFailed

	switch {
	case err == nil:
		name = resultOK
	case errors.Is(err, ErrDamaged):
		name = resultDamaged
	}

	return metric.WithAttributes(attribute.String("result", name))
}
