package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hale.dev/services/internal/store"
)

const (
	blockFor   = time.Second // how long one XREAD waits
	checkEvery = time.Second // between looks at the heads
	readCount  = 16          // entries of one partition in one answer
	minPause   = 20 * time.Millisecond
	maxPause   = time.Second
)

// watch is one call of Watch. It has connections of its own, which block in XREAD.
type watch struct {
	s       *Store
	servers *servers

	mu sync.Mutex // held while f runs: one call at a time
	f  func(store.Change) error
}

// watcherError marks an error of the watcher's own function, which ends the watch.
type watcherError struct{ error }

func (e watcherError) Unwrap() error { return e.error }

// Watch implements store.Store. Lost connections are made again. A single server is followed on one connection; in a
// cluster, where no call may name two slots, each partition has one of its own.
func (s *Store) Watch(ctx context.Context, partitions int, f func(store.Change) error) error {
	cluster := s.servers.cluster != nil
	all := s.followers(partitions, cluster)
	quiet := s.o
	quiet.Tracer = nil        // waiting is not worth a span
	quiet.Timeout += blockFor // so that one who waits in vain is found out, see read
	client, err := quiet.connect(cluster, len(all)+1)
	if err != nil {
		return err
	}
	w := &watch{s: s, servers: client, f: f}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.stop, func() {
		cancel(&store.Error{Reason: store.ReasonClosed, Message: "the redis store is closed"})
	})()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { // a blocked read does not see the end of its context
		defer close(closed)
		_ = client.Close()
	})
	err = w.run(ctx, cancel, all)
	if stop() {
		_ = client.Close()
	} else {
		<-closed
	}
	return err
}

// followers divides the partitions into those that can be followed together.
func (s *Store) followers(partitions int, cluster bool) []*follower {
	size := max(1, partitions)
	if cluster {
		size = 1
	}
	var all []*follower
	for from := 0; from < partitions; from += size {
		fo := &follower{index: map[string]int{}}
		for p := from; p < min(from+size, partitions); p++ {
			n := s.keys.of(p)
			fo.index[n.changes] = len(fo.places)
			fo.places = append(fo.places, place{partition: p, names: n})
		}
		all = append(all, fo)
	}
	return all
}

// run runs all followers until ctx ends, or the first of them ends it.
func (w *watch) run(ctx context.Context, cancel context.CancelCauseFunc, all []*follower) error {
	var group sync.WaitGroup
	for _, fo := range all {
		group.Go(func() {
			if err := w.keep(ctx, fo); err != nil {
				cancel(watcherError{err})
			}
		})
	}
	if len(all) == 0 {
		<-ctx.Done()
	}
	group.Wait()
	err := context.Cause(ctx)
	if own, ok := err.(watcherError); ok { //nolint:errorlint // set above, as it is
		return own.error
	}
	return fmt.Errorf("watching changes: %w", err)
}

// keep follows until ctx ends, or returns the error of the watcher's function.
func (w *watch) keep(ctx context.Context, fo *follower) error {
	pause := minPause
	for {
		err := w.follow(ctx, fo, func() { pause = minPause })
		if own, ok := err.(watcherError); ok { //nolint:errorlint // nobody wraps it
			return own.error
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the error comes of that
		}
		w.s.o.Logger.WarnContext(ctx, "watching changes was interrupted: trying again",
			slog.Int("partition", fo.places[0].partition), slog.Any("error", err))
		w.servers.reload(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// tell calls the watcher's function.
func (w *watch) tell(c store.Change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.f(c); err != nil {
		return watcherError{err}
	}
	return nil
}
