package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"hale.dev/services/ingest"
	"hale.dev/services/internal/telemetry"
)

const (
	// readyPoll is how often a starting process asks its services whether they are ready.
	readyPoll = 20 * time.Millisecond
	// flushTimeout bounds how long traces are sent after everything else has stopped.
	flushTimeout = 2 * time.Second
)

// Options of Run that are no configuration.
type Options struct {
	// Services to run, in one process.
	Services []Service
	// Version of the program.
	Version string
	// Logs gets the log.
	Logs io.Writer
	// Ready is called once when every service is ready; nil: nobody asks.
	Ready func(Addresses)
}

// errStopping is what readiness says from the first moment of the shutdown.
var errStopping = errors.New("stopping")

// Run runs the services until ctx ends or one of them fails, and takes everything down in
// order: not ready, ingest, notify, query, scoring, then what they stood on.
func Run(ctx context.Context, c Config, o Options) (err error) {
	c = c.complete()
	if err := c.Validate(o.Services); err != nil {
		return err
	}

	name := "hale"
	if len(o.Services) == 1 {
		name += "-" + string(o.Services[0])
	}

	c.Telemetry.Service, c.Telemetry.Version = name, o.Version

	logger, err := telemetry.NewLogger(c.Telemetry, o.Logs)
	if err != nil {
		return err
	}

	tel, err := telemetry.Setup(ctx, c.Telemetry)
	if err != nil {
		return err
	}

	s := &session{started: time.Now(), config: c, options: o, logger: logger, telemetry: tel, ready: &telemetry.Readiness{}}
	s.later("flushing telemetry", func() error {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()

		return tel.Shutdown(flush)
	})

	defer func() { err = errors.Join(err, s.close()) }()

	return s.run(ctx)
}

// session is one run of the process.
type session struct {
	started   time.Time
	config    Config
	options   Options
	logger    *slog.Logger
	telemetry *telemetry.Telemetry
	ready     *telemetry.Readiness
	addresses Addresses
	stopping  atomic.Bool
	closers   []closer
}

type closer struct {
	doing string
	close func() error
}

// later remembers what must be undone at the end, in reverse order.
func (s *session) later(doing string, f func() error) {
	s.closers = append(s.closers, closer{doing, f})
}

func (s *session) close() error {
	var errs []error

	for _, c := range slices.Backward(s.closers) {
		if err := c.close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.doing, err))
		}
	}

	return errors.Join(errs...)
}

func (s *session) run(ctx context.Context) error {
	s.ready.Add("process", func() error {
		if s.stopping.Load() {
			return errStopping
		}

		return nil
	})

	// These come first: what another process has must be told before anything is opened.
	if s.whole() {
		unlock, err := lock(s.config.Data)
		if err != nil {
			return err
		}

		s.later("unlocking the data folder", unlock)
	}

	at, err := s.listen()
	if err != nil {
		return err
	}

	secure, err := s.config.AdminTLS.Config(s.logger)
	if err != nil {
		return fmt.Errorf("starting admin: %w", err)
	}

	base, err := s.open(ctx)
	if err != nil {
		return err
	}

	parts := []part{{"admin", func(ctx context.Context) error {
		return telemetry.Serve(ctx, at.admin, secure, telemetry.Handler(s.telemetry.Metrics, s.ready), s.logger)
	}}}

	for _, name := range All() {
		if !s.runs(name) {
			continue
		}

		service, err := s.build(ctx, name, base, at)
		if err != nil {
			return fmt.Errorf("starting %s: %w", name, err)
		}

		s.ready.Add(string(name), service.Ready)
		parts = append(parts, part{string(name), service.Run})
	}

	parts = append(parts, part{"announcement", s.announce}, part{"stop", s.stop})

	return supervise(ctx, parts, s.logger)
}

// stop is the part that is stopped first: it turns readiness off before anything drains.
func (s *session) stop(ctx context.Context) error {
	<-ctx.Done()
	s.stopping.Store(true)
	s.logger.InfoContext(ctx, "stopping")

	return nil
}

// announce waits until every service is ready, writes the addresses down, and tells whoever
// started the process.
func (s *session) announce(ctx context.Context) error {
	for {
		missing := s.ready.NotReady()
		if len(missing) == 0 {
			s.logger.InfoContext(ctx, "ready", slog.Duration("after", time.Since(s.started).Round(time.Millisecond)))

			break
		}

		select {
		case <-ctx.Done():
			return nil
		case <-time.After(readyPoll):
		}
	}

	if s.whole() {
		if err := s.addresses.write(s.config.Data); err != nil {
			return err
		}

		s.later("forgetting the addresses", func() error { return s.addresses.remove(s.config.Data) })
	}

	if s.options.Ready != nil {
		s.options.Ready(s.addresses)
	}

	<-ctx.Done()

	return nil
}

// whole tells whether all services run in this process, which then owns the data folder.
func (s *session) whole() bool { return len(s.options.Services) == len(All()) }

// listeners of the process; those of services that do not run are nil.
type listeners struct {
	admin, ingestHTTP, ingestGRPC, queryGRPC, queryHTTP net.Listener
}

// listen opens the listeners and notes their addresses.
func (s *session) listen() (listeners, error) {
	var at listeners

	s.addresses.PID = os.Getpid()

	ingestURL, queryTarget, queryURL := "http://", "", "http://"
	if s.config.Ingest.TLSCert != "" {
		ingestURL = "https://"
	}

	if s.config.Query.TLSCert != "" {
		queryTarget, queryURL = "https://", "https://"
	}

	wanted := []struct {
		into    *net.Listener
		note    *string
		address string
		flag    string
		service Service
		scheme  string
	}{
		{&at.admin, &s.addresses.Admin, s.config.Admin, "admin", "", ""},
		{&at.ingestHTTP, &s.addresses.IngestHTTP, s.config.Ingest.HTTP, "ingest-http", Ingest, ingestURL},
		{&at.ingestGRPC, &s.addresses.IngestGRPC, s.config.Ingest.GRPC, "ingest-grpc", Ingest, ""},
		{&at.queryGRPC, &s.addresses.QueryGRPC, s.config.Query.GRPC, "query-grpc", Query, queryTarget},
		{&at.queryHTTP, &s.addresses.QueryHTTP, s.config.Query.HTTP, "query-http", Query, queryURL},
	}

	for _, w := range wanted {
		if w.address == ingest.Off || (w.service != "" && !s.runs(w.service)) {
			continue
		}

		ln, err := listen(w.address, w.flag)
		if err != nil {
			return at, err
		}

		s.later("closing the listener of --"+w.flag, func() error {
			if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
				return err //nolint:wrapcheck // close says what was being done
			}

			return nil
		})

		*w.into = ln
		*w.note = w.scheme + ln.Addr().String()
	}

	return at, nil
}
