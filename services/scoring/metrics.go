package scoring

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// metrics are the service's instruments. None is labelled with an account.
type metrics struct {
	events, cacheReads, restarts, alarms metric.Int64Counter
	commits, accounts, freshness         metric.Float64Histogram
	lagSeconds                           metric.Float64Gauge
	lagMessages, leases, members         metric.Int64Gauge
	cacheBytes, outboxLength             metric.Int64Gauge
	alertsPublished                      metric.Int64Counter
	outboxAge                            metric.Float64Gauge
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	meter := provider.Meter("hale.dev/services/scoring")
	m := &metrics{}
	counters := []struct {
		to         *metric.Int64Counter
		name, help string
	}{
		{&m.events, "hale_scoring_events", "Events folded, by result: counted, duplicate, rejected."},
		{&m.cacheReads, "hale_scoring_cache_reads", "Accounts looked up, by result: hit, miss."},
		{&m.restarts, "hale_scoring_stream_restarts", "How often a stream started over from the store."},
		{&m.alertsPublished, "hale_scoring_alerts_published", "Transitions of alerts that were put into the ALERTS stream."},
		{&m.alarms, "hale_scoring_alarms", "Findings that somebody must look at, by code."},
	}
	for _, c := range counters {
		var err error
		if *c.to, err = meter.Int64Counter(c.name, metric.WithDescription(c.help)); err != nil {
			return nil, fmt.Errorf("counter %s: %w", c.name, err)
		}
	}
	histograms := []struct {
		to               *metric.Float64Histogram
		name, unit, help string
		bounds           []float64
	}{
		{
			&m.commits, "hale_scoring_commit", "s", "Time of a commit, by result.",
			[]float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 2, 10},
		},
		{
			&m.accounts, "hale_scoring_commit_accounts", "", "Accounts written by a commit.",
			[]float64{1, 5, 20, 100, 500, 2000, 10000},
		},
		{
			&m.freshness, "hale_scoring_freshness", "s",
			"From the log's timestamp of the oldest message of a commit to the end of the commit.",
			[]float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 5, 30},
		},
	}
	for _, h := range histograms {
		var err error
		*h.to, err = meter.Float64Histogram(h.name,
			metric.WithUnit(h.unit), metric.WithDescription(h.help), metric.WithExplicitBucketBoundaries(h.bounds...))
		if err != nil {
			return nil, fmt.Errorf("histogram %s: %w", h.name, err)
		}
	}
	return m, m.gauges(meter)
}

// gauges registers what goes up and down.
func (m *metrics) gauges(meter metric.Meter) error {
	var err error
	m.lagSeconds, err = meter.Float64Gauge("hale_scoring_lag",
		metric.WithUnit("s"), metric.WithDescription("Age of the message last read, by stream, while more wait; else 0."))
	if err != nil {
		return fmt.Errorf("gauge of lag: %w", err)
	}
	m.outboxAge, err = meter.Float64Gauge("hale_scoring_outbox_age",
		metric.WithUnit("s"), metric.WithDescription("For how long decided alerts wait to be published, by partition."))
	if err != nil {
		return fmt.Errorf("gauge of the outbox: %w", err)
	}
	gauges := []struct {
		to               *metric.Int64Gauge
		name, unit, help string
	}{
		{&m.lagMessages, "hale_scoring_lag_messages", "", "Messages that wait in the log, by stream."},
		{&m.leases, "hale_scoring_lease", "", "1 while this process holds the leases of a stream, by stream; else 0."},
		{&m.members, "hale_scoring_members", "", "Scoring processes that are heard, this one too."},
		{&m.outboxLength, "hale_scoring_outbox", "", "Commits whose alerts wait to be published, by partition."},
		{&m.cacheBytes, "hale_scoring_cache", "By", "Decoded accounts in memory, before what is too much is dropped."},
	}
	for _, g := range gauges {
		if *g.to, err = meter.Int64Gauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.help)); err != nil {
			return fmt.Errorf("gauge %s: %w", g.name, err)
		}
	}
	return nil
}

func (m *metrics) leaseHeld(ctx context.Context, stream int, held bool) {
	n := int64(0)
	if held {
		n = 1
	}
	m.leases.Record(ctx, n, metric.WithAttributes(attribute.Int("stream", stream)))
}

func (m *metrics) lag(msg *eventlog.Message, now time.Time) {
	stream := metric.WithAttributes(attribute.Int("stream", msg.Stream))
	age := 0.0
	if msg.Pending > 0 {
		age = max(0, now.Sub(time.UnixMicro(msg.Time)).Seconds())
	}
	m.lagSeconds.Record(context.Background(), age, stream)
	m.lagMessages.Record(context.Background(), int64(msg.Pending), stream) //nolint:gosec // far below 2^63
}

func (m *metrics) folded(ctx context.Context, before, after *fold.State) {
	for _, r := range []struct {
		result string
		n      uint64
	}{
		{"counted", after.Counted - before.Counted},
		{"duplicate", after.Duplicates - before.Duplicates},
		{"rejected", after.Rejected - before.Rejected},
	} {
		if r.n > 0 {
			m.events.Add(ctx, int64(r.n), metric.WithAttributes(attribute.String("result", r.result))) //nolint:gosec // a message's events
		}
	}
}

func (m *metrics) cache(ctx context.Context, hits, misses int) {
	m.cacheReads.Add(ctx, int64(hits), metric.WithAttributes(attribute.String("result", "hit")))
	m.cacheReads.Add(ctx, int64(misses), metric.WithAttributes(attribute.String("result", "miss")))
}

func (m *metrics) cached(bytes int64) { m.cacheBytes.Record(context.Background(), bytes) }

func (m *metrics) commit(ctx context.Context, took time.Duration, c *store.Commit, err error, oldest time.Time) {
	m.commits.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("result", resultOf(err))))
	if err != nil {
		return
	}
	m.accounts.Record(ctx, float64(len(c.Changed)))
	if !oldest.IsZero() {
		m.freshness.Record(ctx, max(0, time.Since(oldest).Seconds()))
	}
}

func (m *metrics) alerts(ctx context.Context, published int) {
	m.alertsPublished.Add(ctx, int64(published))
}

func (m *metrics) outbox(ctx context.Context, partition int, length uint64, age time.Duration) {
	at := metric.WithAttributes(attribute.Int("partition", partition))
	m.outboxLength.Record(ctx, int64(length), at) //nolint:gosec // far below 2^63
	m.outboxAge.Record(ctx, age.Seconds(), at)
}

func (m *metrics) alarm(ctx context.Context, code string) {
	m.alarms.Add(ctx, 1, metric.WithAttributes(attribute.String("code", code)))
}
