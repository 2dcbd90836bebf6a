package redis

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Options configure a Store; all but URL have defaults.
type Options struct {
	// URL of the server: redis://user:password@host:port/db, rediss:// for TLS, unix:// for a socket. Of a cluster,
	// some of its servers: redis://user:password@host:port,host:port. Whether it is a cluster, the servers tell.
	URL string
	// Prefix of every key, without '{'. Default "hale:".
	Prefix string
	// Timeout of one call's connect, write and read each. Default 3 s.
	Timeout time.Duration
	// Patience is how long a call is tried again that the servers refuse for reasons that pass by themselves, such as
	// a slot that moves or a master that is being replaced. Default 5 s.
	Patience time.Duration
	// Logger of warnings about lost connections. Default: discarded.
	Logger *slog.Logger
	// Tracer makes a span for each call. Default: none.
	Tracer trace.TracerProvider
	// Meter provides the instruments. Default: none.
	Meter metric.MeterProvider
}

// Validate reports what cannot be used.
func (o Options) Validate() error {
	if o.URL == "" {
		return errors.New("redis: no URL given")
	}
	if _, _, err := parseURL(o.URL); err != nil {
		return err
	}
	if strings.Contains(o.Prefix, "{") {
		return fmt.Errorf("redis: prefix %q holds '{', which would break the hash tags", o.Prefix)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "hale:"
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// driver returns the driver's options of a server, and the addresses of all.
func (o Options) driver() (*redis.Options, []string, error) {
	opt, addrs, err := parseURL(o.URL)
	if err != nil {
		return nil, nil, err
	}
	opt.ClientName = "hale"
	opt.MaxRetries = -1 // see retry.go
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	opt.DialerRetries = 1
	opt.ContextTimeoutEnabled = true
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return opt, addrs, nil
}

// traced adds traces to a client, for those who collect them: they cost on every call.
func (o Options) traced(c redis.UniversalClient) error {
	if _, silent := o.Tracer.(noop.TracerProvider); silent || o.Tracer == nil {
		return nil
	}
	// Statements would hold whole commits, and customers' data.
	if err := redisotel.InstrumentTracing(c, redisotel.WithTracerProvider(o.Tracer), redisotel.WithDBStatement(false),
		redisotel.WithCallerEnabled(false)); err != nil {
		return fmt.Errorf("redis: adding traces: %w", err)
	}
	return nil
}
