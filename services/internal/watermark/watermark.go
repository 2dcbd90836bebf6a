package watermark

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const bucket = "hale_watermarks"

// Book holds a note for each stream. It is safe for concurrent use.
type Book struct{ kv jetstream.KeyValue }

// Open opens the bucket, and makes it with that many replicas (0: 1) if it is missing. A cluster that has no leader yet
// is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Book, error) {
	kv, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: bucket, Description: "how far the store was", Replicas: replicas,
	}, nil)
	if err != nil {
		return nil, err
	}
	return &Book{kv: kv}, nil
}

// Get returns what was noted of a stream; empty: nothing.
func (b *Book) Get(ctx context.Context, stream int) ([]byte, error) {
	entry, err := b.kv.Get(ctx, strconv.Itoa(stream))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the note of stream %d: %w", stream, err)
	}
	return entry.Value(), nil
}

// Put notes something of a stream, in place of what was noted before.
func (b *Book) Put(ctx context.Context, stream int, mark []byte) error {
	if _, err := b.kv.Put(ctx, strconv.Itoa(stream), mark); err != nil {
		return fmt.Errorf("writing the note of stream %d: %w", stream, err)
	}
	return nil
}
