package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
)

// meterName names the instrumentation.
const meterName = "hale.dev/services/notify"

// metrics are the instruments of the service.
type metrics struct {
	clock        Clock
	deliveries   metric.Int64Counter
	tries        metric.Int64Counter
	alarms       metric.Int64Counter
	registration metric.Registration

	mu    sync.Mutex
	stats []dispatch.Stats // last seen; nil: this process does not lead
}

func newMetrics(provider metric.MeterProvider, clock Clock) (*metrics, error) {
	var (
		m     = &metrics{clock: clock}
		meter = provider.Meter(meterName)
		errs  = make([]error, 7)

		waiting, dead metric.Int64ObservableGauge
		oldest        metric.Float64ObservableGauge
	)

	m.deliveries, errs[0] = meter.Int64Counter("hale.notify.deliveries",
		metric.WithDescription("Transitions of alerts that were delivered, skipped or given up, by receiver and status."))
	m.tries, errs[1] = meter.Int64Counter("hale.notify.failures",
		metric.WithDescription("Tries that failed and are repeated, by receiver."))
	waiting, errs[2] = meter.Int64ObservableGauge("hale.notify.pending",
		metric.WithDescription("Transitions that wait to be delivered, by receiver."))
	dead, errs[3] = meter.Int64ObservableGauge("hale.notify.dead_letters",
		metric.WithDescription("Notifications that were given up, by receiver."))
	oldest, errs[4] = meter.Float64ObservableGauge("hale.notify.oldest_pending.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest delivery that waits, by receiver."))

	m.alarms, errs[5] = meter.Int64Counter("hale.notify.alarms",
		metric.WithDescription("Alarms, by code: somebody must look."))

	m.registration, errs[6] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		m.mu.Lock()
		defer m.mu.Unlock()

		for _, one := range m.stats {
			by := metric.WithAttributes(
				attribute.String("workspace", one.Workspace), attribute.String("receiver", one.Receiver))
			o.ObserveInt64(waiting, int64(one.Waiting), by)
			o.ObserveInt64(dead, int64(one.Dead), by)

			age := 0.0
			if !one.Oldest.IsZero() {
				age = max(0, m.clock.Now().Sub(one.Oldest).Seconds())
			}

			o.ObserveFloat64(oldest, age, by)
		}

		return nil
	}, waiting, dead, oldest)

	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("registering metrics of notify: %w", err)
	}

	return m, nil
}

func (m *metrics) close() { _ = m.registration.Unregister() } // the process ends

// alarm counts an alarm.
func (m *metrics) alarm(ctx context.Context, code string) {
	m.alarms.Add(ctx, 1, metric.WithAttributes(attribute.String("code", code)))
}

// observe keeps what waits until it is asked for.
func (m *metrics) observe(stats []dispatch.Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.stats = stats
}

// failed counts a try that failed.
func (m *metrics) failed(workspace, receiver string) { add(m.tries, 1, workspace, receiver) }

// count counts what a record says.
func (m *metrics) count(r delivery.Record) {
	status := func(s delivery.Status) attribute.KeyValue { return attribute.String("status", string(s)) }

	switch r := r.(type) {
	case *delivery.Delivery:
		if r.Skipped != "" {
			add(m.deliveries, 1, r.Workspace, r.Receiver, status(delivery.StatusSkipped))
		}
	case *delivery.Notice:
		switch {
		case r.Status.Over():
			add(m.deliveries, len(r.Members), r.Workspace, r.Receiver, status(r.Status))
			add(m.deliveries, len(r.Skipped), r.Workspace, r.Receiver, status(delivery.StatusSkipped))
		case r.Attempts > 0:
			m.failed(r.Workspace, r.Receiver)
		}
	}
}

// add adds to what is counted for a receiver.
func add(c metric.Int64Counter, n int, workspace, receiver string, more ...attribute.KeyValue) {
	if n > 0 {
		c.Add(context.Background(), int64(n), metric.WithAttributes(append(more,
			attribute.String("workspace", workspace), attribute.String("receiver", receiver))...))
	}
}
