package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	sweepCount     = 512 // keys looked at by one SCAN
	sweepPause     = time.Second
	sweepLastPause = time.Minute
)

// sweeper removes the values of generations that are neither live nor drafted, in one goroutine that lives while there
// is work. What leaves such values behind (a reset, a draft that was published, dropped or begun anew) leaves the mark
// "stale" in the partition, another one each time, which goes when the work is done; so whoever claims the partition
// after a crash goes on with it.
type sweeper struct {
	mu      sync.Mutex
	closed  bool
	running bool
	asked   uint64         // how often anything was asked for
	pending map[int]uint64 // partition: asked when it was asked for last
	done    sync.WaitGroup
}

// end waits for the goroutine, which the store has told to stop.
func (w *sweeper) end() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.done.Wait()
}

// take returns what is to do now; none: the goroutine must end.
func (w *sweeper) take() map[int]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = len(w.pending) > 0
	return maps.Clone(w.pending)
}

// finish forgets what is done, but for partitions that were asked for again meanwhile.
func (w *sweeper) finish(partition int, asked uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending[partition] == asked {
		delete(w.pending, partition)
	}
}

// sweep asks for the removal of what is neither live nor drafted.
func (s *Store) sweep(partition int) {
	w := &s.sweeper
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if w.pending == nil {
		w.pending = map[int]uint64{}
	}
	w.asked++
	w.pending[partition] = w.asked
	if w.running {
		return
	}
	w.running = true
	w.done.Go(func() { s.sweepAll(s.stop) })
}

// sweepAll works until nothing is left to do or ctx ends.
func (s *Store) sweepAll(ctx context.Context) {
	pause := sweepPause
	for {
		todo := s.sweeper.take()
		if len(todo) == 0 {
			return
		}
		err := s.sweepPass(ctx, todo)
		if err == nil {
			pause = sweepPause
			continue
		}
		if ctx.Err() != nil {
			return
		}
		s.o.Logger.WarnContext(ctx, "removing values of other generations was interrupted: trying again", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, sweepLastPause)
	}
}

// sweepPass goes once over the servers that have the partitions. One that fails does not keep the others.
func (s *Store) sweepPass(ctx context.Context, todo map[int]uint64) error {
	at := map[*redis.Client]map[int]uint64{}
	for p, asked := range todo {
		node, err := s.servers.master(ctx, s.keys.of(p).head)
		if err != nil {
			return fmt.Errorf("finding the server of partition %d: %w", p, refusal(err))
		}
		if at[node] == nil {
			at[node] = map[int]uint64{}
		}
		at[node][p] = asked
	}
	var errs []error
	for node, some := range at {
		if err := s.sweepNode(ctx, node, some); err != nil {
			errs = append(errs, fmt.Errorf("on %s: %w", node.Options().Addr, err))
		}
	}
	if errs != nil {
		s.servers.reload(ctx)
	}
	return errors.Join(errs...)
}

// kept is what a partition holds when a pass begins: the mark, and the generations that stay.
type kept struct {
	mark, live, drafted string
}

// sweepNode goes once over the keys of a whole server, in small steps. Partitions of which nothing was found are
// done; the others need another pass, since a scan that a restart of the server falls into may miss keys. All calls go
// to this server alone: when a slot leaves it meanwhile, they fail, and the next pass finds the slot's new server.
func (s *Store) sweepNode(ctx context.Context, node *redis.Client, todo map[int]uint64) error {
	looks, err := s.marks(ctx, node, todo)
	if err != nil || len(looks) == 0 {
		return err
	}
	found, err := s.scan(ctx, node, looks)
	if err != nil {
		return err
	}
	for p, look := range looks {
		if found[p] {
			continue
		}
		n := s.keys.of(p)
		done, err := s.scripts.swept.run(ctx, node, []string{n.stale, n.absent}, look.mark).Int64()
		if err != nil {
			return fmt.Errorf("noting that partition %d has no other values: %w", p, refusal(err))
		}
		if done > 0 {
			s.sweeper.finish(p, todo[p])
		}
	}
	return nil
}

// marks reads what the partitions hold. Those without a mark are done.
func (s *Store) marks(ctx context.Context, node *redis.Client, todo map[int]uint64) (map[int]kept, error) {
	looks := map[int]kept{}
	for p, asked := range todo {
		n := s.keys.of(p)
		got, err := s.scripts.stale.run(ctx, node, []string{n.head, n.stale, n.draft, n.absent}).StringSlice()
		if err != nil {
			return nil, fmt.Errorf("reading what partition %d holds: %w", p, refusal(err))
		}
		if got[0] == "" {
			s.sweeper.finish(p, asked)
			continue
		}
		looks[p] = kept{mark: got[0], live: got[1], drafted: got[2]}
	}
	return looks, nil
}

// scan removes what does not stay, and returns the partitions that had such values.
func (s *Store) scan(ctx context.Context, node *redis.Client, looks map[int]kept) (map[int]bool, error) {
	pattern := escape(s.o.Prefix) + "{*"
	if len(looks) == 1 {
		for p := range looks {
			pattern = escape(s.keys.of(p).tag) + "*"
		}
	}
	found := map[int]bool{}
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, pattern, sweepCount).Result()
		if err != nil {
			return nil, fmt.Errorf("looking for values of other generations: %w", refusal(err))
		}
		if err := s.unlink(ctx, node, keys, looks, found); err != nil {
			return nil, err
		}
		if cursor = next; cursor == 0 {
			return found, nil
		}
	}
}

// unlink removes those of the keys that do not stay; found notes their partitions.
func (s *Store) unlink(ctx context.Context, node *redis.Client, keys []string, looks map[int]kept, found map[int]bool) error {
	for p, look := range looks { // a call for each partition: they are in different slots
		n := s.keys.of(p)
		old, generations := []string{n.head, n.draft}, []any(nil)
		for _, k := range keys {
			generation, ok := n.generationOf(k)
			if !ok {
				continue
			}
			if of := bytesOf(generation); string(of) != look.live && string(of) != look.drafted {
				old, generations = append(old, k), append(generations, of)
			}
		}
		if len(generations) == 0 {
			continue
		}
		removed, err := s.scripts.unlink.run(ctx, node, old, generations...).Int64()
		if err != nil {
			return fmt.Errorf("removing %d other values of partition %d: %w", len(generations), p, refusal(err))
		}
		if removed > 0 {
			found[p] = true
		}
	}
	return nil
}

// escape makes a pattern that matches s alone.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
