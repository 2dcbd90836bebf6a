package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

//go:embed commit.lua
var commitSource string //nolint:gochecknoglobals // embedding needs a variable

//go:embed claim.lua
var claimSource string //nolint:gochecknoglobals // embedding needs a variable

//go:embed place.lua
var placeSource string //nolint:gochecknoglobals // embedding needs a variable

// Store implements store.Store in Redis.
type Store struct {
	o       Options
	keys    *keys
	metrics *store.Metrics
	reads   redis.UniversalClient // retries
	writes  redis.UniversalClient // never retries: a repeated commit would look fenced
	stop    context.Context       //nolint:containedctx // ends with the store, not with a call
	cancel  context.CancelFunc

	commit, claim, place *redis.Script
}

var _ store.Store = (*Store)(nil)

// Open makes a store and checks that the server can be used.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	m, err := store.NewMetrics(o.Meter, "redis")
	if err != nil {
		return nil, err
	}
	s := &Store{
		o: o, keys: newKeys(o.Prefix), metrics: m,
		commit: redis.NewScript(commitSource), claim: redis.NewScript(claimSource), place: redis.NewScript(placeSource),
	}
	if s.reads, err = o.client(0); err != nil {
		return nil, err
	}
	if s.writes, err = o.client(-1); err != nil {
		return nil, errors.Join(err, s.reads.Close())
	}
	s.stop, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.Check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Claim implements store.Store.
func (s *Store) Claim(ctx context.Context, partition int) (store.Head, error) {
	got, err := s.claim.Run(ctx, s.reads, []string{s.keys.of(partition).head}).Text()
	if err != nil {
		return store.Head{}, fmt.Errorf("claiming partition %d: %w", partition, refusal(err))
	}
	return parseHead(got)
}

// Read implements store.Store. It is one MGET, so head and values are as of one instant.
func (s *Store) Read(ctx context.Context, partition int, wanted ...string) (store.Head, [][]byte, error) {
	n := s.keys.of(partition)
	args := make([]string, 1, 1+len(wanted))
	args[0] = n.head
	for _, k := range wanted {
		args = append(args, n.value+k)
	}
	got, err := s.reads.MGet(ctx, args...).Result()
	if err != nil {
		return store.Head{}, nil, fmt.Errorf("reading %d values of partition %d: %w", len(wanted), partition, refusal(err))
	}
	stored, _ := got[0].(string)
	head, err := parseHead(stored)
	if err != nil {
		return store.Head{}, nil, fmt.Errorf("reading partition %d: %w", partition, err)
	}
	values := make([][]byte, len(wanted))
	for i, v := range got[1:] {
		if v, ok := v.(string); ok {
			values[i] = []byte(v)
		}
	}
	return head, values, nil
}

// Close implements store.Store. Watches end.
func (s *Store) Close() error {
	s.cancel()
	if err := errors.Join(s.reads.Close(), s.writes.Close()); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("closing the redis clients: %w", err)
	}
	return nil
}
