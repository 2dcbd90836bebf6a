package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

const (
	// probePeriod is how often the service asks whether the log can be reached.
	probePeriod = time.Second
	// probeTimeout is how long the log may take to answer.
	probeTimeout = 3 * time.Second
)

var (
	errStarting = errors.New("starting")
	errStopping = errors.New("stopping")
)

// Deps is what the service needs from outside.
type Deps struct {
	// Log to write to. The service makes its own writer.
	Log *eventlog.Log
	// Rejects keeps what is refused.
	Rejects *reject.Stream
	// Directory knows the accounts of users. The caller closes it, after Run.
	Directory *directory.Directory
	// Pressure tells why no event may be taken for now; nil: there is never a reason.
	Pressure interface{ Why() string }
	// Keyring knows the keys.
	Keyring *access.Keyring
	// Logger; nil: silent.
	Logger *slog.Logger
	// Tracer and Meter; nil: nothing is traced, or measured.
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
	// HTTP and GRPC are listeners to use instead of the configured addresses; nil: none. Run closes them.
	HTTP, GRPC net.Listener
}

// Service takes events in. Make it with New.
type Service struct {
	cfg       Config
	deps      Deps
	publisher *publisher
	resender  *Resender
	waiting   *waiting
	writer    *eventlog.Writer
	mapping   *mapping
	budget    *budget
	state     atomic.Pointer[error]

	http, grpc net.Listener
}

// New makes a service and opens its listeners; Run serves them. A service that is never run must be closed.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}

	cfg = cfg.complete()
	d = d.complete()

	m, err := loadMapping(cfg.Mapping)
	if err != nil {
		return nil, err
	}

	s := &Service{cfg: cfg, deps: d, mapping: m, budget: newBudget(int64(cfg.InFlightMiB) << 20)}
	s.setState(errStarting)

	if err := s.listen(); err != nil {
		return nil, err
	}

	s.writer = d.Log.NewWriter(eventlog.WriterOptions{QueueBytes: int64(cfg.QueueMiB) << 20})

	s.publisher, err = newPublisher(d, s.writer, cfg.Sources)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}

	s.resender = &Resender{publisher: s.publisher, mapping: m, now: cfg.Now}
	s.waiting = newWaiting(s.resender, d.Logger)
	s.publisher.wake = s.waiting.wake

	return s, nil
}

// complete fills what may be left out.
func (d Deps) complete() Deps {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}

	if d.Pressure == nil {
		d.Pressure = noPressure{}
	}

	if d.Tracer == nil {
		d.Tracer = tracenoop.NewTracerProvider()
	}

	return d
}

// noPressure never has a reason.
type noPressure struct{}

// Why implements what Deps.Pressure needs.
func (noPressure) Why() string { return "" }

// newPublisher makes the common path.
func newPublisher(d Deps, w *eventlog.Writer, sources []string) (*publisher, error) {
	d = d.complete()

	c, err := newChecker()
	if err != nil {
		return nil, err
	}

	m, err := newMetrics(d.Meter)
	if err != nil {
		return nil, err
	}

	p := &publisher{
		layout: d.Log.Layout(), writer: w, rejects: d.Rejects, directory: d.Directory, checker: c, metrics: m,
		log: d.Logger, pressure: d.Pressure,
	}
	for _, name := range sources {
		p.served[parseKind(name)] = true
	}

	return p, nil
}

// listen opens the listeners.
func (s *Service) listen() error {
	var err error

	if s.http, err = listener(s.deps.HTTP, s.cfg.HTTP); err != nil {
		return err
	}

	if s.grpc, err = listener(s.deps.GRPC, s.cfg.GRPC); err != nil {
		return errors.Join(err, closeListener(s.http))
	}

	return nil
}

// listener returns the given listener, or opens the address; nil if that is off.
func listener(given net.Listener, addr string) (net.Listener, error) {
	if given != nil || addr == Off {
		return given, nil
	}

	l, err := net.Listen("tcp", addr) //nolint:noctx // resolves nothing: it is an address
	if err != nil {
		return nil, fmt.Errorf("ingest: listening: %w", err)
	}

	return l, nil
}

func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}

	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("ingest: closing a listener: %w", err)
	}

	return nil
}

// HTTPAddr is the address of the HTTP listener; nil if it is off.
func (s *Service) HTTPAddr() net.Addr { return address(s.http) }

// GRPCAddr is the address of the gRPC listener; nil if it is off.
func (s *Service) GRPCAddr() net.Addr { return address(s.grpc) }

func address(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}

	return l.Addr()
}

// Ready returns nil when the service takes events: it runs, and the log answers. Otherwise it says why not.
func (s *Service) Ready() error { return *s.state.Load() }

func (s *Service) setState(err error) { s.state.Store(&err) }

// Run serves until ctx ends; then it stops taking requests, lets those under way end, and writes what the log's
// writer still holds.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)

	g.Go(func() error { s.probe(ctx); return nil })
	g.Go(func() error { s.waiting.run(ctx); return nil })

	if s.http != nil {
		g.Go(func() error { return s.serveHTTP(ctx) })
	}

	if s.grpc != nil {
		g.Go(func() error { return s.serveGRPC(ctx) })
	}

	err := g.Wait()

	return errors.Join(err, s.Close())
}

// Close releases what New took. Run does it itself.
func (s *Service) Close() error {
	s.setState(errStopping)

	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
	defer cancel()

	err := errors.Join(closeListener(s.http), closeListener(s.grpc))
	if s.writer != nil {
		if e := s.writer.Close(ctx); e != nil && !errors.Is(e, eventlog.ErrClosed) {
			err = errors.Join(err, fmt.Errorf("ingest: closing the writer: %w", e))
		}
	}

	return err
}

// probe keeps the state true until ctx ends.
func (s *Service) probe(ctx context.Context) {
	tick := time.NewTicker(probePeriod)
	defer tick.Stop()

	broken := make([]error, s.deps.Log.Layout().Streams)

	for turn := 0; ; turn++ {
		// A stream can be without a leader while the others have one. One a second is asked.
		stream := turn % len(broken)
		asked, cancel := context.WithTimeout(ctx, probeTimeout)
		_, broken[stream] = s.deps.Log.Info(asked, stream)
		err := errors.Join(broken...)

		cancel()

		if ctx.Err() != nil {
			s.setState(errStopping)

			return
		}

		if err != nil {
			err = fmt.Errorf("the log cannot be reached: %w", err)
		}

		s.setState(err)

		select {
		case <-ctx.Done():
			s.setState(errStopping)

			return
		case <-tick.C:
		}
	}
}
