package query

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/report"
)

// Resender sends a refused event again. The ingest service implements it.
type Resender interface {
	// Resend returns the place of the event in the log. Its error says why the event was refused again, or that
	// it could not be tried now (gRPC code UNAVAILABLE or RESOURCE_EXHAUSTED, or an ended context).
	Resend(ctx context.Context, r reject.Stored) (eventlog.Token, error)
}

// Deps is what the service works with. All are needed but those that say otherwise.
type Deps struct {
	Log      *eventlog.Log
	Store    store.Store
	Rejects  *reject.Stream
	Settings *settings.Settings
	Keyring  *access.Keyring
	// Now is the clock by which keys end; nil: time.Now.
	Now func() time.Time
	// Resender may be nil: then refused events cannot be sent again here.
	Resender Resender
	// Tasks is where owners are asked for work.
	Tasks *task.Board
	// Alerts is the stream of what happens to alerts.
	Alerts Alerts
	// Deliveries says how alerts were delivered; nil: alerts are told of without.
	Deliveries Deliveries
	// Letters are the notifications that were given up; nil: there are none.
	Letters Letters
	// Snapshots may be nil: then they are turned off.
	Snapshots Snapshots
	Logger    *slog.Logger
	Tracer    trace.TracerProvider
	Meter     metric.MeterProvider
	// GRPC and HTTP are listeners to use instead of the addresses in Config; nil: those.
	GRPC, HTTP net.Listener
}

// now is what time it is.
func (d *Deps) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}

	return d.Now()
}

// Service answers queries.
type Service struct {
	cfg      Config
	deps     Deps
	tls      *tls.Config
	metrics  *metrics
	feed     *feed
	segments *segments
	alerts   *alertFeed
	silences *silences
	// audiences are who watches.
	audiences *audiences
	accounts  *accounts
	reports   *report.Writer
	// rulesTests are the tests of rules under way.
	rulesTests workspaces
	writer     *eventlog.Writer
	servers    *servers
	// named finds the filter of a workspace's segment.
	named func(workspace, name string) (*column.Filter, bool)
	// stopping is closed when the service begins to stop, and ends streams.
	stopping chan struct{}
	state    atomic.Pointer[error]
}

var (
	errStarting = errors.New("query: starting")
	errStopping = errors.New("query: stopping")
)

// checkEvery is how often the store is checked.
const checkEvery = 5 * time.Second

// New returns a service that does nothing until Run.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}

	m, err := newMetrics(d.Meter)
	if err != nil {
		return nil, err
	}

	s := &Service{cfg: cfg.complete(), deps: d, metrics: m, stopping: make(chan struct{})}
	s.state.Store(&errStarting)

	if s.tls, err = s.cfg.files().Config(d.Logger); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}

	s.accounts = newAccounts(d.Store, d.Log.Layout().Partitions)
	s.feed = newFeed(d.Store, d.Log.Layout().Partitions, s.cfg.WatchRing, s.accounts.summarize, m, d.Logger)
	s.audiences = newAudiences()
	s.segments = newSegments(d.Logger)
	s.named = s.segments.named
	s.alerts = newAlertFeed(d.Alerts, s.cfg.AlertRing, d.Logger)
	s.silences = newSilences(d.Logger, d.now)

	if s.reports, err = report.NewWriter(); err != nil {
		return nil, err
	}

	if s.servers, err = newServers(s); err != nil {
		return nil, err
	}

	return s, nil
}

// Run serves until ctx ends, then lets the calls under way end and closes. It returns nil after an orderly end.
func (s *Service) Run(ctx context.Context) error {
	s.writer = s.deps.Log.NewWriter(eventlog.WriterOptions{})

	stopObserving, err := s.metrics.observe(s.deps.Meter, s.feed)
	if err != nil {
		return err
	}

	// What serves ends first, what it needs goes on until then.
	behind, stopBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBehind()

	g, gctx := errgroup.WithContext(behind)
	g.Go(func() error { return s.feed.run(gctx) })
	g.Go(func() error { return s.reconcile(gctx) })
	g.Go(func() error { return s.check(gctx) })
	g.Go(func() error { return s.segments.run(gctx, s.deps.Settings) })
	g.Go(func() error { return s.alerts.run(gctx) })
	g.Go(func() error { return s.silences.run(gctx, s.deps.Settings) })

	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()

	ended := make(chan error, 1)
	go func() { // something behind that ends by itself ends the service
		ended <- g.Wait()

		stopServing()
	}()

	err = s.servers.run(serving, s)

	stopBehind()

	if behindErr := <-ended; behindErr != nil && !errors.Is(behindErr, context.Canceled) {
		err = errors.Join(err, behindErr)
	}

	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Drain)
	defer cancel()

	return errors.Join(err, s.writer.Close(closing), stopObserving())
}

// check keeps an eye on the store until ctx ends.
func (s *Service) check(ctx context.Context) error {
	for {
		within, cancel := context.WithTimeout(ctx, checkEvery)
		err := s.deps.Store.Check(within)

		cancel()

		if err != nil {
			err = fmt.Errorf("query: checking the store: %w", err)
		}

		s.setState(err)

		if err := sleep(ctx, checkEvery); err != nil {
			return err
		}
	}
}

// setState notes whether the service can work, unless it is stopping.
func (s *Service) setState(err error) {
	for {
		old := s.state.Load()
		if old == &errStopping || s.state.CompareAndSwap(old, &err) {
			return
		}
	}
}

// Ready returns nil when the service can answer everything, else why not: the store is there, lists and
// alerts are filled.
func (s *Service) Ready() error {
	if err := *s.state.Load(); err != nil {
		return err
	}

	if err := errors.Join(s.segments.ready(), s.alerts.ready(), s.silences.ready()); err != nil {
		return err
	}

	return s.feed.ready()
}
