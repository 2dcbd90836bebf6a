package scoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/pressure"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/store"
)

// Deps is what the service works with; all are needed.
type Deps struct {
	Log     *eventlog.Log
	Store   store.Store
	Rejects *reject.Stream
	// Pressure is where the service says that message ids fill its memory.
	Pressure *pressure.Board
	Logger   *slog.Logger
	Tracer   trace.TracerProvider
	Meter    metric.MeterProvider
}

// Service scores the partitions of all streams.
type Service struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	tracer  trace.Tracer
	writer  *eventlog.Writer

	mu     sync.Mutex
	states map[int]string // stream: why it is not ready
	held   map[int]string // stream: why it stands still, ready or not
}

// New returns a service that does nothing until Run.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Meter)
	if err != nil {
		return nil, fmt.Errorf("registering metrics of scoring: %w", err)
	}
	s := &Service{
		cfg: cfg.complete(), deps: deps, metrics: m,
		tracer: deps.Tracer.Tracer("hale.dev/services/scoring"),
		states: map[int]string{}, held: map[int]string{},
	}
	for stream := range deps.Log.Layout().Streams {
		s.states[stream] = "not claimed yet"
	}
	return s, nil
}

// Run scores until ctx ends, then finishes the commits under way.
func (s *Service) Run(ctx context.Context) error {
	if err := s.deps.Store.Check(ctx); err != nil {
		return fmt.Errorf("checking the store: %w", err)
	}
	s.writer = s.deps.Log.NewWriter(eventlog.WriterOptions{})
	group, groupCtx := errgroup.WithContext(ctx)
	for stream := range s.deps.Log.Layout().Streams {
		group.Go(func() error { return s.ownStream(groupCtx, stream) })
	}
	err := group.Wait()
	if inOrder := ctx.Err() != nil && errors.Is(err, context.Canceled); inOrder {
		err = nil
	}
	if closeErr := s.writer.Close(context.WithoutCancel(ctx)); closeErr != nil && err == nil {
		err = fmt.Errorf("closing the writer of ticks: %w", closeErr)
	}
	return err
}

// Ready returns nil when every stream is claimed and read up to its end, else why not.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.deps.Log.Layout().Streams {
		if why := cmp.Or(s.held[stream], s.states[stream]); why != "" {
			return fmt.Errorf("scoring stream %d: %s", stream, why)
		}
	}
	return nil
}

// setState notes why a stream is not ready; empty: it is.
func (s *Service) setState(stream int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[stream] = why
}

// hold notes why a stream stands still, whatever its state; empty: it goes on.
func (s *Service) hold(stream int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[stream] = why
}
