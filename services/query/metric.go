package query

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"
)

// meterName names the instrumentation.
const meterName = "hale.dev/services/query"

// metrics are the instruments of the service.
type metrics struct {
	requests metric.Int64Counter
	calls    metric.Float64Histogram
	fills    metric.Float64Histogram
	waits    metric.Float64Histogram
	sent     metric.Int64Counter
	cut      metric.Int64Counter
	// outcomes caches the attributes of requests: methods and codes are few, and making a set of attributes costs
	// more than all else that is done to count a request.
	outcomes sync.Map // outcome: *outcomeOptions
}

// outcomeOptions are the attributes of a request: as Hale counts it, and as OpenTelemetry's conventions have it.
type outcomeOptions struct {
	count []metric.AddOption
	call  []metric.RecordOption
}

func newOutcomeOptions(o outcome) *outcomeOptions {
	return &outcomeOptions{
		count: []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("method", o.method), attribute.String("code", o.code.String()),
		))},
		call: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("rpc.system.name", "grpc"),
			attribute.String("rpc.method", strings.TrimPrefix(o.method, "/")),
			attribute.String("rpc.response.status_code", o.code.String()),
		))},
	}
}

// outcome is what requests are counted by.
type outcome struct {
	method string
	code   codes.Code
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	var (
		m     = new(metrics)
		meter = provider.Meter(meterName)
		err   error
	)

	if m.requests, err = meter.Int64Counter("hale.query.requests",
		metric.WithDescription("Requests answered, by method and code.")); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	// Name, unit, attributes and buckets are those of OpenTelemetry's conventions.
	if m.calls, err = meter.Float64Histogram("rpc.server.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Measures the duration of an incoming Remote Procedure Call (RPC)."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	if m.fills, err = meter.Float64Histogram("hale.query.fill.duration", metric.WithUnit("s"),
		metric.WithDescription("How long it took to read all accounts of a partition into the lists."),
		metric.WithExplicitBucketBoundaries(.001, .01, .05, .1, .5, 1, 5, 10, 30, 60)); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	if m.waits, err = meter.Float64Histogram("hale.query.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("How long reads with at_least waited."),
		metric.WithExplicitBucketBoundaries(.001, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30)); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	if m.sent, err = meter.Int64Counter("hale.query.watch.changes",
		metric.WithDescription("Changes of accounts sent to watchers.")); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	if m.cut, err = meter.Int64Counter("hale.query.watch.cut_off",
		metric.WithDescription("Watchers cut off because they read too slowly.")); err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	return m, nil
}

// observe registers what is read off the feed; stop unregisters it.
func (m *metrics) observe(provider metric.MeterProvider, f *feed) (stop func() error, err error) {
	meter := provider.Meter(meterName)

	accounts, err := meter.Int64ObservableGauge("hale.query.accounts",
		metric.WithDescription("Accounts in the lists."))
	if err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	lag, err := meter.Float64ObservableGauge("hale.query.watch.lag", metric.WithUnit("s"),
		metric.WithDescription("For how long the oldest change that is not in the lists has been known."))
	if err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	watchers, err := meter.Int64ObservableGauge("hale.query.watchers",
		metric.WithDescription("Watchers connected."))
	if err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	r, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(accounts, int64(f.accounts()))
		o.ObserveFloat64(lag, f.lag().Seconds())
		o.ObserveInt64(watchers, int64(f.hub.Watchers()))

		return nil
	}, accounts, lag, watchers)
	if err != nil {
		return nil, fmt.Errorf("registering metrics of query: %w", err)
	}

	return r.Unregister, nil
}

// answered counts a request that began at a time.
func (m *metrics) answered(ctx context.Context, method string, c codes.Code, begun time.Time) {
	key := outcome{method, c}

	found, ok := m.outcomes.Load(key)
	if !ok {
		found, _ = m.outcomes.LoadOrStore(key, newOutcomeOptions(key))
	}

	options := found.(*outcomeOptions) //nolint:forcetypeassert // the map holds nothing else
	m.requests.Add(ctx, 1, options.count...)
	m.calls.Record(ctx, time.Since(begun).Seconds(), options.call...)
}

// filled notes how long a fill took.
func (m *metrics) filled(ctx context.Context, d time.Duration) { m.fills.Record(ctx, d.Seconds()) }

// told counts changes that were sent to a watcher.
func (m *metrics) told(ctx context.Context, changes int) { m.sent.Add(ctx, int64(changes)) }

// cutOff counts a watcher that was cut off.
func (m *metrics) cutOff(ctx context.Context) { m.cut.Add(ctx, 1) }

// waited notes how long a reader waited.
func (m *metrics) waited(ctx context.Context, d time.Duration) { m.waits.Record(ctx, d.Seconds()) }
