package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

const (
	blockFor   = time.Second // how long one XREAD waits
	checkEvery = time.Second // between looks at the heads
	readCount  = 16          // entries of one partition in one answer
	minPause   = 20 * time.Millisecond
	maxPause   = time.Second
)

// place is where a watcher stands in a partition.
type place struct {
	header // of the last change told

	id    string // of its stream entry
	seen  uint64 // revision of the head at the last look
	stood uint64 // revision of the place at the last look
	known bool   // false: the watcher must be told Lost
}

// watch is one call of Watch. It uses a connection of its own, which blocks in XREAD.
type watch struct {
	s      *Store
	client redis.UniversalClient
	f      func(store.Change) error
	names  []*names
	index  map[string]int // partition by stream
	places []place
}

// watcherError marks an error of the watcher's own function, which ends the watch.
type watcherError struct{ error }

func (e watcherError) Unwrap() error { return e.error }

// Watch implements store.Store. Lost connections are made again.
func (s *Store) Watch(ctx context.Context, partitions int, f func(store.Change) error) error {
	w := &watch{s: s, f: f, index: map[string]int{}, places: make([]place, partitions)}
	for p := range partitions {
		n := s.keys.of(p)
		w.names = append(w.names, n)
		w.index[n.changes] = p
	}
	quiet := s.o
	quiet.Tracer = nil // waiting is not worth a span
	client, err := quiet.client(-1)
	if err != nil {
		return err
	}
	w.client = client
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
	err = w.run(ctx)
	if stop() {
		_ = client.Close()
	} else {
		<-closed
	}
	return err
}

func (w *watch) run(ctx context.Context) error {
	pause := minPause
	for {
		err := w.follow(ctx, func() { pause = minPause })
		if own, ok := errors.AsType[watcherError](err); ok {
			return own.error
		}
		if ctx.Err() != nil {
			return fmt.Errorf("watching changes: %w", context.Cause(ctx))
		}
		w.s.o.Logger.WarnContext(ctx, "watching changes was interrupted: trying again", slog.Any("error", err))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// follow tells changes until something fails.
func (w *watch) follow(ctx context.Context, works func()) error {
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		works()
		for until := time.Now().Add(checkEvery); time.Now().Before(until); {
			if err := w.read(ctx); err != nil {
				return err
			}
		}
	}
}

// look compares every place with its head. A head that stands behind fell back; a head that went ahead by
// entries of which none arrived since the last look hides them (the server's clock went back).
func (w *watch) look(ctx context.Context) error {
	heads := make([]*redis.StringCmd, len(w.names))
	_, err := w.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, n := range w.names {
			heads[i] = p.GetRange(ctx, n.head, 0, headerLen-1)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking at the heads: %w", err)
	}
	for p := range w.places {
		h, err := parseHeader(heads[p].Val())
		if err != nil {
			return err
		}
		at := &w.places[p]
		hidden := at.seen > at.Revision && at.stood == at.Revision
		back := h.Revision < at.Revision || h.Epoch < at.Epoch || h.Generation < at.Generation
		if !at.known || hidden || back {
			if err := w.restart(ctx, p); err != nil {
				return err
			}
			continue
		}
		at.seen, at.stood = h.Revision, at.Revision
	}
	return nil
}

// restart takes the newest place of a partition and tells Lost.
func (w *watch) restart(ctx context.Context, p int) error {
	got, err := w.s.place.Run(ctx, w.client, []string{w.names[p].head, w.names[p].changes}).StringSlice()
	if err != nil {
		return fmt.Errorf("finding the newest change of partition %d: %w", p, err)
	}
	h, err := parseHeader(got[0])
	if err != nil {
		return err
	}
	w.places[p] = place{header: h, id: got[1], seen: h.Revision, stood: h.Revision, known: true}
	c := h.change(p)
	c.Lost = true
	return w.tell(c)
}

func (w *watch) tell(c store.Change) error {
	if err := w.f(c); err != nil {
		return watcherError{err}
	}
	return nil
}

// read waits for entries and tells them.
func (w *watch) read(ctx context.Context) error {
	streams := make([]string, 0, 2*len(w.names))
	for _, n := range w.names {
		streams = append(streams, n.changes)
	}
	for i := range w.places {
		streams = append(streams, w.places[i].id)
	}
	got, err := w.client.XRead(ctx, &redis.XReadArgs{Streams: streams, Count: readCount, Block: blockFor}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("waiting for changes: %w", err)
	}
	for _, stream := range got {
		p := w.index[stream.Stream]
		for _, m := range stream.Messages {
			if err := w.entry(p, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry tells one change, as Lost when it does not follow the last one.
func (w *watch) entry(p int, m redis.XMessage) error {
	data, _ := m.Values["d"].(string)
	h, c, err := parseChange(p, data)
	if err != nil {
		return err
	}
	at := &w.places[p]
	if h.Revision != at.Revision+1 || h.Epoch < at.Epoch || h.Generation != at.Generation {
		c.Accounts, c.Lost = nil, true
	}
	at.header, at.id = h, m.ID
	return w.tell(c)
}
