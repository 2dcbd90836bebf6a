// Package pressure lets a part of Hale that cannot take more say so to those that accept events: a note in a
// key-value bucket that every ingest process follows. Nothing is accepted that could not be counted.
package pressure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const bucket = "hale_pressure"

// Board holds the notes. It is safe for concurrent use.
type Board struct {
	kv   jetstream.KeyValue
	conn *nats.Conn

	mu    sync.RWMutex
	notes map[string]string
}

// Open opens the bucket, and makes it with that many replicas (0: 1) if it is missing. A cluster that has no leader yet
// is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Board, error) {
	kv, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: bucket, Description: "why events are refused for now", Replicas: replicas,
	}, nil)
	if err != nil {
		return nil, err
	}

	return &Board{conn: js.Conn(), kv: kv, notes: map[string]string{}}, nil
}

// Raise notes why nothing more is taken, under the name of who says so.
func (b *Board) Raise(ctx context.Context, name, why string) error {
	if _, err := b.kv.PutString(ctx, name, why); err != nil {
		return fmt.Errorf("raising pressure of %s: %w", name, err)
	}
	return nil
}

// Clear takes the note of that name back.
func (b *Board) Clear(ctx context.Context, name string) error {
	if err := b.kv.Purge(ctx, name); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("clearing pressure of %s: %w", name, err)
	}
	return nil
}

// Raised reports whether a note of that name stands.
func (b *Board) Raised(ctx context.Context, name string) (bool, error) {
	_, err := b.kv.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for pressure of %s: %w", name, err)
	}
	return true, nil
}

// Why returns a reason for which events are refused for now; empty: there is none. It follows the bucket
// while Follow runs.
func (b *Board) Why() string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	least := ""
	for name := range b.notes {
		if least == "" || name < least {
			least = name
		}
	}
	return b.notes[least]
}

// retryWatch is how long Follow waits until it watches again.
const retryWatch = 500 * time.Millisecond

// Follow keeps Why current until ctx ends, whatever becomes of NATS meanwhile: notes that are known stand until the
// bucket says otherwise. It ends early only with the connection.
func (b *Board) Follow(ctx context.Context) error {
	for {
		err := b.watch(ctx)

		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case b.conn.IsClosed():
			return fmt.Errorf("watching bucket %s: %w", bucket, errors.Join(err, nats.ErrConnectionClosed))
		}

		select {
		case <-ctx.Done():
		case <-time.After(retryWatch):
		}
	}
}

// watch follows the bucket until ctx or the watch ends, or NATS was lost and is back: the watch would go on by itself,
// but only after a while.
func (b *Board) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // the client keeps a goroutine until then
	defer cancel()

	back := b.conn.StatusChanged(nats.CONNECTED)
	defer b.conn.RemoveStatusListener(back)

	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by Follow
	}

	defer func() {
		_ = watcher.Stop() // it is over, whatever the server thinks of it
		go func() {        // the client blocks on an update that nobody takes
			for range watcher.Updates() {
			}
		}()
	}()

	notes, live := map[string]string{}, false

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-back:
			return nil
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return nil
			case entry == nil: // all that was there is known
				live = true
			case entry.Operation() == jetstream.KeyValuePut:
				notes[entry.Key()] = string(entry.Value())
			default:
				delete(notes, entry.Key())
			}

			if live {
				b.publish(notes)
			}
		}
	}
}

// publish makes notes the ones that Why looks at.
func (b *Board) publish(notes map[string]string) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.notes = maps.Clone(notes)
}
