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
	// URL of the server: redis://user:password@host:port/db, rediss:// for TLS, unix:// for a socket.
	URL string
	// Prefix of every key, without '{'. Default "hale:".
	Prefix string
	// Timeout of one call's connect, write and read each. Default 3 s.
	Timeout time.Duration
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
	if _, err := redis.ParseURL(o.URL); err != nil {
		return errors.New("redis: the URL cannot be read") // the cause may hold the password
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
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// client makes a client; retries is -1 for calls that must not be sent twice.
func (o Options) client(retries int) (redis.UniversalClient, error) {
	opt, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, errors.New("redis: the URL cannot be read") // the cause may hold the password
	}
	opt.ClientName = "hale"
	opt.MaxRetries = retries
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	opt.DialerRetries = 1
	opt.ContextTimeoutEnabled = true
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	c := redis.NewClient(opt)
	if _, silent := o.Tracer.(noop.TracerProvider); silent || o.Tracer == nil {
		return c, nil // the hooks cost on every call, also when nobody collects
	}
	// Statements would hold whole commits, and customers' data.
	if err := redisotel.InstrumentTracing(c, redisotel.WithTracerProvider(o.Tracer), redisotel.WithDBStatement(false),
		redisotel.WithCallerEnabled(false)); err != nil {
		return nil, errors.Join(fmt.Errorf("redis: adding traces: %w", err), c.Close())
	}
	return c, nil
}
