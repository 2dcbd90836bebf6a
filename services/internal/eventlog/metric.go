package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// alarmShare of a stream's cap, in percent, from which the fill is an alarm.
const alarmShare = 80

// writerMetrics are the measurements of one writer.
type writerMetrics struct {
	batches, events, failures, retries, refused metric.Int64Counter
	batchEvents, batchBytes                     metric.Int64Histogram
	latency                                     metric.Float64Histogram
	registration                                metric.Registration

	mu   sync.Mutex
	fill []StreamInfo // last seen, by stream
}

// instruments makes instruments and keeps the first error, which is only about names.
type instruments struct {
	meter metric.Meter
	err   error
}

func (i *instruments) counter(name, description string) metric.Int64Counter {
	c, err := i.meter.Int64Counter(name, metric.WithDescription(description))
	i.err = errors.Join(i.err, err)

	return c
}

func (i *instruments) sizes(name, description, unit string, bounds ...float64) metric.Int64Histogram {
	h, err := i.meter.Int64Histogram(name, metric.WithDescription(description), metric.WithUnit(unit),
		metric.WithExplicitBucketBoundaries(bounds...))
	i.err = errors.Join(i.err, err)

	return h
}

func (i *instruments) gauge(name, description, unit string) metric.Int64ObservableGauge {
	g, err := i.meter.Int64ObservableGauge(name, metric.WithDescription(description), metric.WithUnit(unit))
	i.err = errors.Join(i.err, err)

	return g
}

func newWriterMetrics(l *Log, w *Writer) *writerMetrics {
	in := &instruments{meter: l.meter}
	m := &writerMetrics{
		batches:  in.counter("hale_log_published_batches_total", "Batches that the log acknowledged."),
		events:   in.counter("hale_log_published_records_total", "Records that the log acknowledged."),
		failures: in.counter("hale_log_failed_batches_total", "Batches that the log did not take, by reason."),
		retries:  in.counter("hale_log_retried_batches_total", "Batches sent again for want of an answer."),
		refused:  in.counter("hale_log_refused_writes_total", "Writes refused before they were sent, by reason."),
		batchEvents: in.sizes("hale_log_batch_records", "Records of an acknowledged batch.", "{record}",
			1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000),
		batchBytes: in.sizes("hale_log_batch_bytes", "Size of an acknowledged batch.", "By",
			256, 1024, 4096, 16384, 65536, 262144, 1048576),
		fill: make([]StreamInfo, l.layout.Streams),
	}

	var err error

	m.latency, err = l.meter.Float64Histogram("hale_log_publish_latency_seconds",
		metric.WithDescription("From cutting a batch to its acknowledgement."), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10))
	in.err = errors.Join(in.err, err)

	queue := in.gauge("hale_log_queue_bytes", "Encoded records that wait for acknowledgement.", "By")
	held := in.gauge("hale_log_stream_bytes", "Bytes that a stream holds.", "By")
	limit := in.gauge("hale_log_stream_max_bytes", "Cap of a stream.", "By")
	alarm := in.gauge("hale_log_stream_full_alarm", "1 if a stream holds 80 % of its cap or more.", "")

	m.registration, err = l.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(queue, w.queued.Load())
		m.each(func(i int, info StreamInfo) {
			stream := metric.WithAttributes(attribute.String("stream", l.layout.streamName(i)))
			o.ObserveInt64(held, info.Bytes, stream)
			o.ObserveInt64(limit, info.MaxBytes, stream)
			o.ObserveInt64(alarm, alarmed(info), stream)
		})

		return nil
	}, queue, held, limit, alarm)
	if err = errors.Join(in.err, err); err != nil {
		l.logger.Warn("some metrics of the log are missing", "error", err)
	}

	return m
}

// alarmed is 1 if a stream is nearly full.
func alarmed(info StreamInfo) int64 {
	if info.MaxBytes > 0 && info.Bytes >= info.MaxBytes/100*alarmShare {
		return 1
	}

	return 0
}

func (m *writerMetrics) each(f func(i int, info StreamInfo)) {
	m.mu.Lock()
	defer m.mu.Unlock()

	for i, info := range m.fill {
		if info.MaxBytes != 0 { // seen
			f(i, info)
		}
	}
}

// settled counts a batch. The measurements carry the trace of a call that it holds, as exemplars.
func (m *writerMetrics) settled(b *batch, now time.Time, err error) {
	ctx := trace.ContextWithSpanContext(context.Background(), b.span())

	if err != nil {
		m.failures.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reasonOf(err))))

		return
	}

	m.batches.Add(ctx, 1)
	m.events.Add(ctx, int64(b.records))
	m.batchEvents.Record(ctx, int64(b.records))
	m.batchBytes.Record(ctx, int64(len(*b.data)))
	m.latency.Record(ctx, now.Sub(b.born).Seconds())
}

func (m *writerMetrics) retried() { m.retries.Add(context.Background(), 1) }

// refuse counts a write that was refused, and returns err.
func (m *writerMetrics) refuse(ctx context.Context, err error) error {
	m.refused.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reasonOf(err))))

	return err
}

func reasonOf(err error) string {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Reason
	}

	return "OTHER"
}

func (m *writerMetrics) close() error {
	if m.registration == nil {
		return nil
	}

	if err := m.registration.Unregister(); err != nil {
		return fmt.Errorf("removing the log's metrics: %w", err)
	}

	return nil
}

// watchFill looks at the streams' fill from time to time, and says when one is nearly full and when no longer.
func (w *Writer) watchFill(ctx context.Context) {
	ticker := time.NewTicker(w.options.AlarmPeriod)
	defer ticker.Stop()

	for {
		for i := range w.lanes {
			w.lookAtFill(ctx, i)
		}

		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *Writer) lookAtFill(ctx context.Context, stream int) {
	ctx, cancel := context.WithTimeout(ctx, w.options.AckTimeout)
	defer cancel()

	info, err := w.log.Info(ctx, stream)
	if err != nil {
		return // reads and writes report it
	}

	w.metrics.mu.Lock()
	before := w.metrics.fill[stream]
	w.metrics.fill[stream] = info
	w.metrics.mu.Unlock()

	fields := []any{"stream", w.log.layout.streamName(stream), "bytes", info.Bytes, "max_bytes", info.MaxBytes}

	switch was, is := alarmed(before), alarmed(info); {
	case is > was:
		w.log.logger.ErrorContext(ctx, "the log is nearly full: raise its cap before it refuses events", fields...)
	case is < was:
		w.log.logger.InfoContext(ctx, "the log has room again", fields...)
	}
}
