package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
)

// Config says what a process tells about itself, and to whom. The zero value works: no
// traces are exported, logs are text at level info.
type Config struct {
	// Service names the process in traces and metrics, for example `hale-ingest`; empty: hale.
	Service string
	// Version is the program's version.
	Version string
	// OTLPEndpoint is the URL of an OpenTelemetry collector's gRPC listener, such as
	// http://127.0.0.1:4317. Empty: the standard OTEL_EXPORTER_OTLP_ENDPOINT decides; without
	// either, nothing is traced.
	OTLPEndpoint string
	// TraceRatio is the share of new traces that are kept, 0 to 1. Traces begun elsewhere
	// follow their beginner's choice. 0 stands for 1: all.
	TraceRatio float64
	// LogLevel is debug, info, warn or error; empty: info.
	LogLevel string
	// LogFormat is text or json; empty: text.
	LogFormat string
}

// Errors of Config.Validate.
var (
	errEndpoint = errors.New("must be a URL such as http://127.0.0.1:4317")
	errRatio    = errors.New("must be from 0 to 1")
	errLevel    = errors.New("must be debug, info, warn or error")
	errFormat   = errors.New("must be text or json")
)

// Validate reports every setting that cannot be used.
func (c Config) Validate() error {
	var errs []error

	if c.OTLPEndpoint != "" {
		u, err := url.Parse(c.OTLPEndpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			errs = append(errs, fmt.Errorf("otlp endpoint %q: %w", c.OTLPEndpoint, errEndpoint))
		}
	}

	if c.TraceRatio < 0 || c.TraceRatio > 1 || c.TraceRatio != c.TraceRatio {
		errs = append(errs, fmt.Errorf("trace ratio %v: %w", c.TraceRatio, errRatio))
	}

	if _, err := c.level(); err != nil {
		errs = append(errs, err)
	}

	switch c.LogFormat {
	case "", "text", "json":
	default:
		errs = append(errs, fmt.Errorf("log format %q: %w", c.LogFormat, errFormat))
	}

	return errors.Join(errs...)
}

func (c Config) service() string {
	if c.Service == "" {
		return "hale"
	}

	return c.Service
}

func (c Config) level() (slog.Level, error) {
	switch c.LogLevel {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return slog.LevelInfo, fmt.Errorf("log level %q: %w", c.LogLevel, errLevel)
	}
}
