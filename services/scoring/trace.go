package scoring

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/store"
)

// traced is a message whose request is traced.
type traced struct {
	parent   trace.SpanContext
	sequence uint64
}

// maxTraced bounds the requests that one commit is linked to.
const maxTraced = 32

// traceMessage notes the request that a message came from, if it is traced.
func (s *Service) traceMessage(traces []traced, m *eventlog.Message) []traced {
	if len(m.Header) == 0 || len(traces) >= maxTraced {
		return traces
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), eventlog.Carrier(m.Header))
	if parent := trace.SpanContextFromContext(ctx); parent.IsSampled() {
		traces = append(traces, traced{parent, m.Sequence})
	}
	return traces
}

// traceCommit begins the span of a commit: a child of the first traced request that it completes, linked to
// the others.
func (s *Service) traceCommit(ctx context.Context, c *store.Commit, traces []traced) (context.Context, func()) {
	if len(traces) == 0 {
		return ctx, func() {}
	}
	links := make([]trace.Link, 0, len(traces))
	for _, t := range traces {
		links = append(links, trace.Link{SpanContext: t.parent, Attributes: []attribute.KeyValue{
			attribute.Int64("hale.log.sequence", int64(t.sequence)), //nolint:gosec // far below 2^63
		}})
	}
	ctx, span := s.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, traces[0].parent), "scoring.commit",
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...),
		trace.WithAttributes(
			attribute.Int("hale.partition", c.Partition),
			attribute.Int("hale.commit.accounts", len(c.Changed)),
		))
	return ctx, func() { span.End() }
}
