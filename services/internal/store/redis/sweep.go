package redis

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
)

const (
	sweepCount     = 512 // keys looked at by one SCAN
	sweepPause     = time.Second
	sweepLastPause = time.Minute
)

// sweeper removes the values of earlier generations, in one goroutine that lives while there is work. A reset leaves
// the mark "stale" in the partition, which goes when the work is done; so whoever claims the partition after a
// crash goes on with it.
type sweeper struct {
	mu      sync.Mutex
	closed  bool
	running bool
	pending map[int]uint64 // partition: the generation of which, and of later ones, values stay
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

// finish forgets what is done, but for partitions that were reset again meanwhile.
func (w *sweeper) finish(partition int, generation uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending[partition] == generation {
		delete(w.pending, partition)
	}
}

// sweep asks for the removal of what is older than a generation.
func (s *Store) sweep(partition int, generation uint64) {
	w := &s.sweeper
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if w.pending == nil {
		w.pending = map[int]uint64{}
	}
	w.pending[partition] = max(w.pending[partition], generation)
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
		s.o.Logger.WarnContext(ctx, "removing values of earlier generations was interrupted: trying again", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, sweepLastPause)
	}
}

// sweepPass goes once over the keys of the whole server, in small steps. Partitions of which nothing was found are
// done; the others need another pass, since a scan that a restart of the server falls into may miss keys.
func (s *Store) sweepPass(ctx context.Context, todo map[int]uint64) error {
	pattern := escape(s.o.Prefix) + "{*"
	if len(todo) == 1 {
		for p := range todo {
			pattern = escape(s.keys.of(p).tag) + "*"
		}
	}
	found := map[int]bool{}
	for cursor := uint64(0); ; {
		keys, next, err := s.writes.Scan(ctx, cursor, pattern, sweepCount).Result()
		if err != nil {
			return fmt.Errorf("looking for values of earlier generations: %w", refusal(err))
		}
		if err := s.unlink(ctx, keys, todo, found); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	for p, generation := range todo {
		if found[p] {
			continue
		}
		if err := s.swept.Run(ctx, s.writes, []string{s.keys.of(p).stale}, bytesOf(generation)).Err(); err != nil {
			return fmt.Errorf("noting that partition %d has no earlier values: %w", p, refusal(err))
		}
		s.sweeper.finish(p, generation)
	}
	return nil
}

// unlink removes those of the keys that are older than what stays; found notes their partitions. A partition whose
// head has another generation by now is left to whoever finds its mark.
func (s *Store) unlink(ctx context.Context, keys []string, todo map[int]uint64, found map[int]bool) error {
	old := map[int][]string{}
	for _, k := range keys {
		for p, generation := range todo {
			n := s.keys.of(p)
			if of, ok := n.generationOf(k); ok && of < generation {
				if old[p] == nil {
					old[p] = append(old[p], n.head)
				}
				old[p] = append(old[p], k)
			}
		}
	}
	for p, some := range old { // a call for each partition: in a cluster they are on different servers
		n, err := s.unlinkOld.Run(ctx, s.writes, some, bytesOf(todo[p])).Int64()
		if err != nil {
			return fmt.Errorf("removing %d earlier values of partition %d: %w", len(some)-1, p, refusal(err))
		}
		if n < 0 {
			s.sweeper.finish(p, todo[p])
			delete(todo, p)
			continue
		}
		found[p] = true
	}
	return nil
}

// bytesOf returns a generation as it stands in a header.
func bytesOf(generation uint64) []byte { return binary.BigEndian.AppendUint64(nil, generation) }

// escape makes a pattern that matches s alone.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
