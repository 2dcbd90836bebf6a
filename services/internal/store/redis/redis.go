package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

//go:embed commit.lua
var commitSource string

//go:embed claim.lua
var claimSource string

//go:embed reset.lua
var resetSource string

//go:embed unlink.lua
var unlinkSource string

//go:embed swept.lua
var sweptSource string

//go:embed place.lua
var placeSource string

// Store implements store.Store in Redis.
type Store struct {
	o       Options
	keys    *keys
	metrics *store.Metrics
	reads   redis.UniversalClient // retries
	// combined sends small reads through reads.
	combined *combiner
	writes   redis.UniversalClient // never retries: a repeated commit would look fenced
	stop     context.Context       //nolint:containedctx // ends with the store, not with a call
	cancel   context.CancelFunc

	commit, claim, reset, unlinkOld, swept, place *redis.Script

	sweeper sweeper

	renewing sync.Mutex
	// renewed is the run id of the server whose append-only file is known to be whole.
	renewed string
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
		commit: redis.NewScript(commitSource), claim: redis.NewScript(claimSource),
		reset: redis.NewScript(resetSource), unlinkOld: redis.NewScript(unlinkSource),
		swept: redis.NewScript(sweptSource), place: redis.NewScript(placeSource),
	}
	if s.reads, err = o.client(0); err != nil {
		return nil, err
	}
	s.combined = &combiner{client: s.reads}
	if s.writes, err = o.client(-1); err != nil {
		return nil, errors.Join(err, s.reads.Close())
	}
	s.stop, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.Check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Claim implements store.Store. What a former owner left to remove is taken over.
func (s *Store) Claim(ctx context.Context, partition int) (store.Head, error) {
	if err := s.renew(ctx); err != nil {
		return store.Head{}, fmt.Errorf("claiming partition %d: %w", partition, err)
	}
	n := s.keys.of(partition)
	got, err := s.claim.Run(ctx, s.reads, []string{n.head, n.stale}).StringSlice()
	if err != nil {
		return store.Head{}, fmt.Errorf("claiming partition %d: %w", partition, refusal(err))
	}
	head, err := parseHead(got[0])
	if err != nil {
		return store.Head{}, fmt.Errorf("claiming partition %d: %w", partition, err)
	}
	n.see(head.Generation)
	if got[1] != "" {
		s.sweep(partition, head.Generation)
	}
	return head, nil
}

// Reset implements store.Store. It writes the head; the values of earlier generations, which nobody finds any more,
// are removed in the background.
func (s *Store) Reset(ctx context.Context, partition int, epoch uint64) (store.Head, error) {
	n := s.keys.of(partition)
	expected := guard(epoch, 0, 0)[:epochLen]
	got, err := s.reset.Run(ctx, s.reads, []string{n.head, n.changes, n.stale}, expected, []byte{changeLost}, maxChanges).Text()
	if errors.Is(err, redis.Nil) {
		return store.Head{}, store.ErrFenced
	}
	if err != nil {
		return store.Head{}, fmt.Errorf("resetting partition %d: %w", partition, refusal(err))
	}
	head, err := parseHead(got)
	if err != nil {
		return store.Head{}, fmt.Errorf("resetting partition %d: %w", partition, err)
	}
	n.see(head.Generation)
	s.sweep(partition, head.Generation)
	return head, nil
}

// Read implements store.Store. It is one MGET, so head and values are as of one instant. The keys are those of the
// generation last seen; when the head tells another one, all is read again.
func (s *Store) Read(ctx context.Context, partition int, wanted ...string) (store.Head, [][]byte, error) {
	n := s.keys.of(partition)
	in := n.space.Load()
	for {
		head, values, err := s.readFrom(ctx, n.head, in, wanted)
		if err != nil {
			return store.Head{}, nil, fmt.Errorf("reading %d values of partition %d: %w", len(wanted), partition, err)
		}
		if head.Generation == in.generation {
			return head, values, nil
		}
		in = n.see(head.Generation)
	}
}

func (s *Store) readFrom(ctx context.Context, headKey string, in *space, wanted []string) (store.Head, [][]byte, error) {
	args := make([]string, 1, 1+len(wanted))
	args[0] = headKey
	for _, k := range wanted {
		args = append(args, in.value+k)
	}
	got, err := s.combined.mget(ctx, args)
	if err != nil {
		return store.Head{}, nil, refusal(err)
	}
	stored, _ := got[0].(string)
	head, err := parseHead(stored)
	if err != nil {
		return store.Head{}, nil, err
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
	s.sweeper.end()
	if err := errors.Join(s.reads.Close(), s.writes.Close()); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("closing the redis clients: %w", err)
	}
	return nil
}
