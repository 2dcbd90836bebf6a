package notify

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/egress"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// Service delivers alerts. Make it with New.
type Service struct {
	config  Config
	deps    Deps
	guard   *egress.Guard
	setups  *setups
	metrics *metrics
	// leading says that this process delivers, waiting that it stands by.
	leading, waiting atomic.Bool
	trouble          atomic.Pointer[error]
}

// Errors of Ready.
var (
	errSetups = errors.New("the receivers are not read yet")
	errLease  = errors.New("it is not known yet who leads")
)

// New makes the service.
func New(c Config, d Deps) (*Service, error) {
	if err := errors.Join(c.Validate(), d.validate()); err != nil {
		return nil, err
	}

	c = c.complete()

	guard, err := egress.New(egress.Config{Allow: c.EgressAllow})
	if err != nil {
		return nil, err
	}

	if d.Clock == nil {
		d.Clock = wall{}
	}

	if d.Random == nil {
		d.Random = rand.Float64
	}

	if d.Senders == nil {
		secrets := &sender.Secrets{Folder: c.Secrets}
		d.Senders = func(r *receiver.Receiver) (sender.Sender, error) {
			return sender.New(r.Settings, sender.Deps{Egress: guard, Secrets: secrets, Now: d.Clock.Now})
		}
	}

	s := &Service{config: c, deps: d, guard: guard, setups: newSetups(d.Logger)}

	if s.metrics, err = newMetrics(d.Meter, d.Clock); err != nil {
		return nil, err
	}

	return s, nil
}

// Run delivers, or stands by, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	defer s.guard.Close()
	defer s.metrics.close()

	var watching sync.WaitGroup

	watching.Go(func() { s.setups.follow(ctx, s.deps.Settings) })
	defer watching.Wait()

	for ctx.Err() == nil {
		led := false

		s.waiting.Store(true)

		err := s.deps.Leader.Lead(ctx, func(ctx context.Context) error {
			led = true

			return s.lead(ctx)
		})

		s.waiting.Store(false)

		if ctx.Err() != nil {
			return nil
		}

		s.note(ctx, err)
		s.pause(ctx)

		if led { // what was wrong is the next leader's affair; this process stands by
			s.trouble.Store(nil)
		}
	}

	return nil
}

// lead delivers as long as this process leads. A session ends with any doubt about the stream of deliveries; the next one
// reads it again.
func (s *Service) lead(ctx context.Context) error {
	s.leading.Store(true)
	defer s.leading.Store(false)
	defer s.metrics.observe(nil)

	for {
		err := s.session(ctx)

		if ctx.Err() != nil || errors.Is(err, delivery.ErrFenced) {
			return err
		}

		s.note(ctx, err)
		s.pause(ctx)
	}
}

// note keeps what is wrong until it is right again.
func (s *Service) note(ctx context.Context, err error) {
	if err == nil {
		return
	}

	s.trouble.Store(&err)
	s.deps.Logger.WarnContext(ctx, "delivering is interrupted", slog.Any("error", err))
}

func (s *Service) pause(ctx context.Context) {
	done := make(chan struct{})

	stop := s.deps.Clock.AfterFunc(s.config.Pause, func() { close(done) })
	defer stop()

	select {
	case <-ctx.Done():
	case <-done:
	}
}

// Ready returns nil, or why the service neither delivers nor stands by.
func (s *Service) Ready() error {
	if !s.setups.ready() {
		return errSetups
	}

	if err := s.trouble.Load(); err != nil {
		return *err
	}

	if !s.leading.Load() && !s.waiting.Load() {
		return errLease
	}

	return nil
}
