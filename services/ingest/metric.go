package ingest

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

const scope = "hale.dev/services/ingest"

// metrics of the service. Names get the suffixes of Prometheus when they are exported.
type metrics struct {
	requests  metric.Int64Counter
	accepted  metric.Int64Counter
	rejected  metric.Int64Counter
	generated metric.Int64Counter
	dropped   metric.Int64Counter
	resent    metric.Int64Counter
	decoding  metric.Float64Histogram
	duration  metric.Float64Histogram

	sources [kinds]metric.MeasurementOption
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}

	var (
		m     = &metrics{}
		meter = provider.Meter(scope)
		err   error
	)

	for _, c := range []struct {
		into        *metric.Int64Counter
		name, about string
	}{
		{&m.requests, "hale_ingest_requests", "Requests, by route and by code; ok: taken."},
		{&m.accepted, "hale_ingest_events_accepted", "Events durable in the log, by source."},
		{&m.rejected, "hale_ingest_events_rejected", "Events refused, by source (of those decoded) and code."},
		{&m.generated, "hale_ingest_ids_generated", "Events of Segment's API that came without a messageId."},
		{&m.dropped, "hale_ingest_traits_dropped", "Traits that could not be kept: too many, or too long."},
		{&m.resent, "hale_ingest_events_resent", "Events that waited for their user and were sent again, by outcome."},
	} {
		if *c.into, err = meter.Int64Counter(c.name, metric.WithDescription(c.about)); err != nil {
			return nil, fmt.Errorf("making metric %s: %w", c.name, err)
		}
	}

	for _, h := range []struct {
		into        *metric.Float64Histogram
		name, about string
	}{
		{&m.decoding, "hale_ingest_decode_duration", "Time to decode one request."},
		{&m.duration, "hale_ingest_request_duration", "Time from the request's head to its answer."},
	} {
		*h.into, err = meter.Float64Histogram(h.name, metric.WithDescription(h.about), metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, .1, .25, .5, 1, 2.5, 10))
		if err != nil {
			return nil, fmt.Errorf("making metric %s: %w", h.name, err)
		}
	}

	for k := range m.sources {
		m.sources[k] = metric.WithAttributeSet(attribute.NewSet(attribute.String("source", kind(k).String())))
	}

	return m, nil
}

// events counts what became of a request's events.
func (m *metrics) events(ctx context.Context, r *request) {
	var accepted [kinds]int64

	for i := range r.entries {
		e := &r.entries[i]
		if e.bad == nil {
			accepted[kindOf(e.event)]++

			continue
		}

		m.rejected.Add(ctx, 1, metric.WithAttributes(
			attribute.String("source", kindOf(e.event).String()), attribute.String("code", string(e.bad.code))))
	}

	for k, n := range accepted {
		if n > 0 {
			m.accepted.Add(ctx, n, m.sources[k])
		}
	}
}

// request counts one request and its time.
func (m *metrics) request(ctx context.Context, route string, code Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}

	at := metric.WithAttributeSet(attribute.NewSet(attribute.String("route", route), attribute.String("code", string(code))))
	m.requests.Add(ctx, 1, at)
	m.duration.Record(ctx, took.Seconds(), at)
}

// decoded notes the time that decoding took.
func (m *metrics) decoded(ctx context.Context, origin string, took time.Duration) {
	m.decoding.Record(ctx, took.Seconds(), metric.WithAttributeSet(attribute.NewSet(attribute.String("origin", origin))))
}

// again counts an event that was sent again.
func (m *metrics) again(ctx context.Context, code string) {
	m.resent.Add(ctx, 1, metric.WithAttributes(attribute.String("code", code)))
}
