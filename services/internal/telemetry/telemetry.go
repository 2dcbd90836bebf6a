package telemetry

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Telemetry holds a process's providers. Pass Tracer and Meter to every component.
type Telemetry struct {
	// Tracer makes tracers; it records nothing unless a collector is set.
	Tracer trace.TracerProvider
	// Meter makes meters, whose instruments Metrics gathers.
	Meter metric.MeterProvider
	// Metrics gathers every metric of the process, in Prometheus's form.
	Metrics prometheus.Gatherer

	stops []func(context.Context) error
}

// Setup makes the providers. It does not wait for a collector: traces of a collector that
// cannot be reached are dropped.
func Setup(ctx context.Context, c Config) (*Telemetry, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}

	res := resource.NewSchemaless(
		attribute.String("service.name", c.service()),
		attribute.String("service.version", c.Version),
	)
	t := &Telemetry{}

	if err := t.setupMeter(res); err != nil {
		return nil, err
	}

	if err := t.setupTracer(ctx, c, res); err != nil {
		return nil, err
	}

	return t, nil
}

// Shutdown sends what is still held, until ctx ends, and stops the providers.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	errs := make([]error, 0, len(t.stops))

	for _, stop := range t.stops {
		if err := stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping telemetry: %w", err))
		}
	}

	return errors.Join(errs...)
}

func (t *Telemetry) setupMeter(res *resource.Resource) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)

	exporter, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return fmt.Errorf("making the metrics exporter: %w", err)
	}

	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(res))
	t.Meter, t.Metrics = provider, registry
	t.stops = append(t.stops, provider.Shutdown)

	return nil
}

func (t *Telemetry) setupTracer(ctx context.Context, c Config, res *resource.Resource) error {
	var options []otlptracegrpc.Option

	switch {
	case c.OTLPEndpoint != "":
		options = append(options, otlptracegrpc.WithEndpointURL(c.OTLPEndpoint))
	case os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "", os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "":
	default:
		t.Tracer = noop.NewTracerProvider()

		return nil
	}

	exporter, err := otlptracegrpc.New(ctx, options...)
	if err != nil {
		return fmt.Errorf("making the trace exporter: %w", err)
	}

	ratio := c.TraceRatio
	if ratio == 0 {
		ratio = 1
	}

	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
	)
	t.Tracer = provider
	t.stops = append(t.stops, provider.Shutdown)

	return nil
}
