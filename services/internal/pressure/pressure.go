// Package pressure lets a part of Hale that cannot take more say so to those that accept events: a note in a
// key-value bucket that every ingest process follows. Nothing is accepted that could not be counted.
package pressure

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

const bucket = "hale_pressure"

// Board holds the notes. It is safe for concurrent use.
type Board struct {
	kv jetstream.KeyValue

	mu    sync.RWMutex
	notes map[string]string
}

// Open opens the bucket, and makes it with that many replicas (0: 1) if it is missing.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Board, error) {
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, Description: "why events are refused for now", Replicas: max(1, replicas),
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // another process was faster
			kv, err = js.KeyValue(ctx, bucket)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", bucket, err)
	}
	return &Board{kv: kv, notes: map[string]string{}}, nil
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

// Follow keeps Why current until ctx ends.
func (b *Board) Follow(ctx context.Context) error {
	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watching bucket %s: %w", bucket, err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			if !ok {
				return fmt.Errorf("watching bucket %s: %w", bucket, errEnded)
			}
			if entry != nil {
				b.note(entry)
			}
		}
	}
}

// errEnded says that the connection to NATS was closed.
var errEnded = errors.New("pressure: the watch has ended")

func (b *Board) note(entry jetstream.KeyValueEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if entry.Operation() == jetstream.KeyValuePut {
		b.notes[entry.Key()] = string(entry.Value())
		return
	}
	delete(b.notes, entry.Key())
}
