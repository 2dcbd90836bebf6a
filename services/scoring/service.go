package scoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/store"
)

// Service scores the partitions of the streams that it owns.
type Service struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	tracer  trace.Tracer
	// lease is what this process asks for with a claim; zero: it is alone, and takes what it wants.
	lease store.Lease
	// spawn runs a function beside the caller. A simulation runs it when it likes.
	spawn func(func())
	// begun is when the service was made, by the steady clock.
	begun time.Time
	// open counts the workers under way: they share the memory for accounts.
	open atomic.Int64
	// cached is how many bytes of accounts they have said that they keep.
	cached atomic.Int64
	// sweeps holds a token for each partition that sweeps now.
	sweeps  chan struct{}
	desires *desires
	tasks   *tasks

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
		spawn:  func(f func()) { go f() },
		states: map[int]string{}, held: map[int]string{},
		sweeps:  make(chan struct{}, sweepsAtOnce),
		desires: newDesires(deps.Log.Layout().Streams, deps.Group == nil),
		tasks:   newTasks(),
	}
	s.begun = s.cfg.steady()
	if deps.Group != nil {
		cfg.Name = deps.Group.Name()
	}
	if cfg.Name != "" {
		s.lease = store.Lease{Owner: cfg.Name, Deployment: deps.Log.Layout().ID, TTL: leaseTTL}
	}
	if deps.Group != nil {
		return s, nil
	}
	for stream := range deps.Log.Layout().Streams {
		s.states[stream] = "not claimed yet"
	}
	return s, nil
}

// Run scores until ctx ends, then finishes the commits under way and hands its streams over.
func (s *Service) Run(ctx context.Context) error {
	if err := s.deps.Store.Check(ctx); err != nil {
		return fmt.Errorf("checking the store: %w", err)
	}
	// What the streams need goes on until the last of them is handed over.
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	support, behind := errgroup.WithContext(behind)
	if s.deps.Group != nil {
		support.Go(func() error { return s.deps.Group.Run(behind) })
		support.Go(func() error { return s.follow(behind) })
		defer context.AfterFunc(ctx, s.deps.Group.Leave)()
	}
	if s.deps.Tasks != nil {
		support.Go(func() error { return s.followTasks(behind) })
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(behind, end)() // without its support no stream goes on
	streams, streamsCtx := errgroup.WithContext(ctx)
	for stream := range s.deps.Log.Layout().Streams {
		streams.Go(func() error { return s.keepStream(streamsCtx, stream) })
	}
	err := streams.Wait()
	stop()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if behindErr := support.Wait(); !errors.Is(behindErr, context.Canceled) {
		err = errors.Join(err, behindErr)
	}
	return err
}

// uptime is for how long the service has been there, by the steady clock.
func (s *Service) uptime() time.Duration { return s.cfg.steady().Sub(s.begun) }

// Ready returns nil when every stream that this process should own is claimed and read up to its end, else why not.
func (s *Service) Ready() error {
	if s.deps.Group != nil && !s.deps.Group.Connected() {
		return errAlone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.deps.Log.Layout().Streams {
		if why := cmp.Or(s.held[stream], s.states[stream]); why != "" {
			return fmt.Errorf("scoring stream %d: %s", stream, why)
		}
	}
	return nil
}

var errAlone = errors.New("scoring: the other processes cannot be heard")

// setState notes why a stream is not ready; empty: it is, or is another process's.
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
