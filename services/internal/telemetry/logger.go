package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger makes the process's logger, writing to w. Records made inside a span carry its
// trace_id, so that logs and traces can be joined.
func NewLogger(c Config, w io.Writer) (*slog.Logger, error) {
	level, err := c.level()
	if err != nil {
		return nil, err
	}

	options := &slog.HandlerOptions{Level: level}

	switch c.LogFormat {
	case "", "text":
		return slog.New(spanHandler{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(spanHandler{slog.NewJSONHandler(w, options)}), nil
	default:
		return nil, fmt.Errorf("log format %q: %w", c.LogFormat, errFormat)
	}
}

// spanHandler adds the trace of the context to each record.
type spanHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h spanHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}

	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // a handler around a handler adds nothing to its errors
}

// WithAttrs implements slog.Handler.
func (h spanHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return spanHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h spanHandler) WithGroup(name string) slog.Handler {
	return spanHandler{h.Handler.WithGroup(name)}
}
