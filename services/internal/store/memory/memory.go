package memory

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"hale.dev/services/internal/store"
)

// Options configure a Store; zero values work.
type Options struct {
	// Dir holds the snapshot files; it is made when missing. Empty: nothing is kept on disk.
	Dir string
	// Interval between looks for partitions whose snapshot is due. Default 10 s.
	Interval time.Duration
	// Logger of warnings about snapshots. Default: discarded.
	Logger *slog.Logger
	// Meter provides the instruments. Default: none.
	Meter metric.MeterProvider
}

// Store implements store.Store in memory.
type Store struct {
	o       Options
	metrics *store.Metrics
	stop    chan struct{}
	done    chan struct{}
	snap    sync.Mutex // held while snapshots are taken

	mu     sync.RWMutex
	parts  map[int]*part
	closed bool
}

var _ store.Store = (*Store)(nil)

// Open makes a store and reads the snapshots found in Options.Dir.
func Open(o Options) (*Store, error) {
	if o.Interval <= 0 {
		o.Interval = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := store.NewMetrics(o.Meter, "memory")
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, metrics: m, parts: map[int]*part{}, stop: make(chan struct{}), done: make(chan struct{})}
	if o.Dir == "" {
		close(s.done)
		return s, nil
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("reading snapshots: %w", err)
	}
	go s.keepSnapshots()
	return s, nil
}

// part returns the partition, made when missing.
func (s *Store) part(n int) (*part, error) {
	s.mu.RLock()
	p, closed := s.parts[n], s.closed
	s.mu.RUnlock()
	if closed {
		return nil, errClosed()
	}
	if p != nil {
		return p, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed()
	}
	if s.parts[n] == nil {
		s.parts[n] = newPart(n)
	}
	return s.parts[n], nil
}

// open returns the partition for a call that has not ended yet.
func (s *Store) open(ctx context.Context, partition int, doing string) (*part, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s partition %d: %w", doing, partition, err)
	}
	return s.part(partition)
}

func errClosed() error {
	return &store.Error{Reason: store.ReasonClosed, Message: "the memory store is closed"}
}

// Claim implements store.Store.
func (s *Store) Claim(ctx context.Context, partition int, l store.Lease) (store.Head, error) {
	p, err := s.open(ctx, partition, "claiming")
	if err != nil {
		return store.Head{}, err
	}
	return p.claim(l)
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, partition int, keys ...string) (store.Head, [][]byte, error) {
	p, err := s.open(ctx, partition, "reading")
	if err != nil {
		return store.Head{}, nil, err
	}
	h, values := p.read(keys)
	return h, values, nil
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, c *store.Commit) error {
	p, err := s.open(ctx, c.Partition, "committing to")
	if err != nil {
		return err
	}
	start := time.Now()
	err = p.commit(c)
	s.metrics.Committed(ctx, time.Since(start), err)
	return err
}

// Reset implements store.Store.
func (s *Store) Reset(ctx context.Context, partition int, epoch uint64) (store.Head, error) {
	p, err := s.open(ctx, partition, "resetting")
	if err != nil {
		return store.Head{}, err
	}
	return p.reset(epoch)
}

// Check implements store.Store: memory can always be used until it is closed.
func (s *Store) Check(context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed()
	}
	return nil
}

// Close refuses further calls and writes a last snapshot of what changed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	<-s.done
	if s.o.Dir == "" {
		return nil
	}
	return s.snapshot(true)
}
