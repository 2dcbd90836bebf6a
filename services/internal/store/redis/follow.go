package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// place is where a watcher stands in a partition.
type place struct {
	header // of the last change told

	partition int
	names     *names
	id        string // of its stream entry
	entry     string // how that begins
	seen      uint64 // revision of the head at the last look
	stood     uint64 // revision of the place at the last look
	known     bool   // false: the watcher must be told Lost
}

// follower follows some partitions on one connection, in one goroutine.
type follower struct {
	places []place
	index  map[string]int // place by stream
}

// follow tells changes until something fails.
func (w *watch) follow(ctx context.Context, fo *follower, works func()) error {
	if err := w.verify(ctx, fo); err != nil {
		return err
	}
	for {
		if err := w.look(ctx, fo); err != nil {
			return err
		}
		works()
		for until := time.Now().Add(checkEvery); time.Now().Before(until); {
			if err := w.read(ctx, fo); err != nil {
				return err
			}
		}
	}
}

// verify asks, after a lost connection, for the entry of the last change told. Where it is another one, or none,
// another server may have taken over that did not have all changes, and may have gone on since: what its entries tell
// would follow rightly, but not from there.
func (w *watch) verify(ctx context.Context, fo *follower) error {
	entries := make([]*redis.XMessageSliceCmd, len(fo.places))
	_, err := w.servers.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range fo.places {
			if at := &fo.places[i]; at.known && at.id != noEntry {
				entries[i] = p.XRange(ctx, at.names.changes, at.id, at.id)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking for the last changes: %w", err)
	}
	for i, cmd := range entries {
		at := &fo.places[i]
		at.seen = at.Revision // since the last look nothing could arrive
		if cmd == nil {
			continue
		}
		got := cmd.Val()
		at.known = len(got) == 1 && beginning(got[0]) == at.entry
	}
	return nil
}

// beginning returns the header of an entry, as it is.
func beginning(m redis.XMessage) string {
	data, _ := m.Values["d"].(string)
	return data[:min(len(data), headerLen)]
}

// look compares every place with its head. A head that stands behind fell back; a head that went ahead by
// entries of which none arrived since the last look hides them (the server's clock went back).
func (w *watch) look(ctx context.Context, fo *follower) error {
	heads := make([]*redis.StringCmd, len(fo.places))
	_, err := w.servers.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range fo.places {
			heads[i] = p.GetRange(ctx, fo.places[i].names.head, 0, headerLen-1)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking at the heads: %w", err)
	}
	for i := range fo.places {
		h, err := parseHeader(heads[i].Val())
		if err != nil {
			return err
		}
		at := &fo.places[i]
		hidden := at.seen > at.Revision && at.stood == at.Revision
		back := h.Revision < at.Revision || h.Epoch < at.Epoch || h.Generation < at.Generation
		if !at.known || hidden || back {
			if err := w.restart(ctx, at); err != nil {
				return err
			}
			continue
		}
		at.seen, at.stood = h.Revision, at.Revision
	}
	return nil
}

// noEntry is the place before the first entry of a stream; place.lua gives it.
const noEntry = "0-0"

// restart takes the newest place of a partition and tells Lost.
func (w *watch) restart(ctx context.Context, at *place) error {
	got, err := w.s.scripts.place.run(ctx, w.servers, []string{at.names.head, at.names.changes}).StringSlice()
	if err != nil {
		return fmt.Errorf("finding the newest change of partition %d: %w", at.partition, err)
	}
	h, err := parseHeader(got[0])
	if err != nil {
		return err
	}
	at.header, at.id, at.entry, at.seen, at.stood = h, got[1], got[2], h.Revision, h.Revision
	c := h.change(at.partition)
	c.Lost = true
	if err := w.tell(c); err != nil {
		return err
	}
	at.known = true
	return nil
}

// read waits for entries and tells them. The command has no timeout of its own, so the client's holds: the driver's
// XRead would wait 10 s longer than the server for a server that is frozen or cut off.
func (w *watch) read(ctx context.Context, fo *follower) error {
	args := make([]any, 0, 6+2*len(fo.places))
	args = append(args, "xread", "count", readCount, "block", blockFor.Milliseconds(), "streams")
	for i := range fo.places {
		args = append(args, fo.places[i].names.changes)
	}
	for i := range fo.places {
		args = append(args, fo.places[i].id)
	}
	cmd := redis.NewXStreamSliceCmd(ctx, args...)
	if err := w.servers.Process(ctx, once{cmd}); err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("waiting for changes: %w", err)
	}
	for _, stream := range cmd.Val() {
		at := &fo.places[fo.index[stream.Stream]]
		for _, m := range stream.Messages {
			if err := w.entry(at, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry tells one change, as Lost when it does not follow the last one.
func (w *watch) entry(at *place, m redis.XMessage) error {
	data, _ := m.Values["d"].(string)
	h, c, err := parseChange(at.partition, data)
	if err != nil {
		return err
	}
	if h.Revision != at.Revision+1 || h.Epoch < at.Epoch || h.Generation != at.Generation {
		c.Accounts, c.Lost = nil, true
	}
	at.header, at.id, at.entry = h, m.ID, beginning(m)
	return w.tell(c)
}
