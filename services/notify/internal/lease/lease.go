package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

// Bucket of the leases.
const bucket = "hale_leases"

const defaultTTL = 6 * time.Second

// ErrLost is the cause of the end of a leader's context.
var ErrLost = errors.New("lease: another process leads, or could")

// Options of a lease. Name is needed.
type Options struct {
	// Key says what is led.
	Key string
	// Name of this process, unlike that of any other.
	Name string
	// TTL is how long others wait that hear nothing; 0: 6 s. It is said anew three times in that.
	TTL time.Duration
	// Replicas of a new bucket; 0: 1.
	Replicas int
	// Logger hears of changes; nil: nobody.
	Logger *slog.Logger
}

// Lease is the right to lead, to be had by one process at a time.
type Lease struct {
	kv      jetstream.KeyValue
	options Options
}

// Open opens the bucket, and makes it if it is missing.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Lease, error) {
	if o.TTL == 0 {
		o.TTL = defaultTTL
	}

	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	kv, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: bucket, Description: "who leads", Replicas: o.Replicas,
	}, o.Logger)
	if err != nil {
		return nil, err
	}

	return &Lease{kv: kv, options: o}, nil
}

// Lead waits until this process may lead, and calls f with a context that ends when it may no more (with ErrLost as its
// cause) or when ctx ends. When f is done, others may lead. The result is that of f, or why there was no leading.
func (l *Lease) Lead(ctx context.Context, f func(ctx context.Context) error) error {
	revision, err := l.acquire(ctx)
	if err != nil {
		return err
	}

	l.options.Logger.InfoContext(ctx, "leading", slog.String("what", l.options.Key))

	leading, lose := context.WithCancelCause(ctx)
	kept := make(chan uint64, 1)

	go func() {
		revision, err := l.keep(leading, revision)
		if err != nil {
			lose(err)
		}

		kept <- revision
	}()

	err = f(leading)
	lost := context.Cause(leading)

	lose(context.Canceled)

	revision = <-kept
	if !errors.Is(lost, ErrLost) {
		l.release(ctx, revision)
	}

	return err
}

// acquire waits until the lease is free, or nothing was heard of its holder for long enough.
func (l *Lease) acquire(ctx context.Context) (uint64, error) {
	var (
		seen  uint64
		since time.Time
	)

	for {
		revision, held, err := l.try(ctx, seen, time.Since(since))

		switch {
		case err != nil && ctx.Err() == nil && !jsretry.Transient(err):
			return 0, fmt.Errorf("asking for the lease %s: %w", l.options.Key, err)
		case err == nil && !held:
			return revision, nil
		case err == nil && revision != seen:
			seen, since = revision, time.Now()
		}

		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(l.options.TTL / 8):
		}
	}
}

// try takes the lease if it is free, or if it is still at the revision seen after the TTL. If others hold it, it returns
// their revision.
func (l *Lease) try(ctx context.Context, seen uint64, silent time.Duration) (revision uint64, held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.options.TTL)
	defer cancel()

	e, err := l.kv.Get(ctx, l.options.Key)

	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		revision, err = l.kv.Create(ctx, l.options.Key, []byte(l.options.Name))
	case err != nil:
		return 0, false, err //nolint:wrapcheck // wrapped by acquire
	case e.Revision() != seen || silent < l.options.TTL:
		return e.Revision(), true, nil
	default:
		revision, err = l.kv.Update(ctx, l.options.Key, []byte(l.options.Name), seen)
	}

	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) { // another was faster
		return 0, true, nil
	}

	return revision, false, err //nolint:wrapcheck // wrapped by acquire
}

// keep renews the lease until ctx ends. The error is ErrLost: somebody else has it, or it could not be renewed for so
// long that somebody else soon may.
func (l *Lease) keep(ctx context.Context, revision uint64) (uint64, error) {
	renewed := time.Now()

	for {
		select {
		case <-ctx.Done():
			return revision, nil
		case <-time.After(l.options.TTL / 3):
		}

		next, err := l.renew(ctx, revision)

		switch {
		case err == nil:
			revision, renewed = next, time.Now()
		case ctx.Err() != nil:
			return revision, nil //nolint:nilerr // the leader is done, and releases it
		case errors.Is(err, jetstream.ErrKeyExists), errors.Is(err, jetstream.ErrKeyRevisionMismatch),
			time.Since(renewed) > l.options.TTL*2/3:
			l.options.Logger.WarnContext(ctx, "leading no more", slog.String("what", l.options.Key), slog.Any("error", err))

			return revision, fmt.Errorf("%w: %w", ErrLost, err)
		}
	}
}

func (l *Lease) renew(ctx context.Context, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, l.options.TTL/3)
	defer cancel()

	revision, err := l.kv.Update(ctx, l.options.Key, []byte(l.options.Name), revision)

	return revision, err //nolint:wrapcheck // wrapped by keep
}

// release lets others lead at once.
func (l *Lease) release(ctx context.Context, revision uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.options.TTL/3)
	defer cancel()

	if err := l.kv.Delete(ctx, l.options.Key, jetstream.LastRevision(revision)); err != nil {
		l.options.Logger.DebugContext(ctx, "releasing the lease", slog.String("what", l.options.Key), slog.Any("error", err))
	}
}
