package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// Store implements store.Store in Redis.
type Store struct {
	o       Options
	keys    *keys
	metrics *store.Metrics
	servers *servers
	reads   *combiners      // send small reads through servers
	stop    context.Context //nolint:containedctx // ends with the store, not with a call
	cancel  context.CancelFunc

	scripts scripts
	sweeper sweeper
	files   files
}

var _ store.Store = (*Store)(nil)

// Open makes a store and checks that the servers can be used.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	m, err := store.NewMetrics(o.Meter, "redis")
	if err != nil {
		return nil, err
	}
	cluster, err := o.isCluster(ctx)
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, keys: newKeys(o.Prefix), metrics: m, scripts: newScripts()}
	if s.servers, err = o.connect(cluster, 0); err != nil {
		return nil, err
	}
	s.reads = &combiners{servers: s.servers}
	s.stop, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.Check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements store.Store. Watches end.
func (s *Store) Close() error {
	s.cancel()
	s.sweeper.end()
	if err := s.servers.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("closing the redis client: %w", err)
	}
	return nil
}
