package eventlog

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/zeebo/xxh3"

	"hale.dev/services/internal/wire"
)

// Bounds and defaults of a layout.
const (
	defaultPartitions = 16
	defaultStreams    = 1
	defaultReplicas   = 1
	maxPartitions     = 4096
	maxReplicas       = 5
	layoutIDBytes     = 9
)

// Layout is what the first start of a log fixes for ever.
type Layout struct {
	// ID is random. It tells this log from every other, in tokens and guards.
	ID string `json:"id"`
	// Partitions is the number of shares of all accounts.
	Partitions int `json:"partitions"`
	// Streams is the number of JetStream streams; each has Partitions / Streams partitions.
	Streams int `json:"streams"`
	// Replicas is the number of servers that keep each stream.
	Replicas int `json:"replicas"`
}

// Partition is the partition of an account of a workspace.
func (l Layout) Partition(workspace, account string) int {
	var stack [2*maxIDBytes + binary.MaxVarintLen64]byte

	name := append(wire.Append(stack[:0], workspace), account...)

	return int(xxh3.Hash(name) % uint64(l.Partitions)) //nolint:gosec // below Partitions
}

// maxIDBytes is the usual bound of a workspace or account id; a longer one only costs an allocation.
const maxIDBytes = 256

// Stream is the stream that holds a partition.
func (l Layout) Stream(partition int) int { return partition % l.Streams }

// validate checks the numbers of a layout.
func (l Layout) validate() error {
	switch {
	case l.ID == "":
		return fmt.Errorf("%w: it has no id", ErrLayout)
	case l.Partitions < 1 || l.Partitions > maxPartitions:
		return fmt.Errorf("%w: %d partitions, not 1 to %d", ErrLayout, l.Partitions, maxPartitions)
	case l.Streams < 1 || l.Partitions%l.Streams != 0:
		return fmt.Errorf("%w: %d streams do not divide %d partitions", ErrLayout, l.Streams, l.Partitions)
	case l.Replicas < 1 || l.Replicas > maxReplicas:
		return fmt.Errorf("%w: %d replicas, not 1 to %d", ErrLayout, l.Replicas, maxReplicas)
	default:
		return nil
	}
}

// newLayout makes the layout that options ask for.
func newLayout(o Options) (Layout, error) {
	id := make([]byte, layoutIDBytes)
	rand.Read(id) // never fails

	layout := Layout{
		ID:         base64.RawURLEncoding.EncodeToString(id),
		Partitions: orDefault(o.Partitions, defaultPartitions),
		Streams:    orDefault(o.Streams, defaultStreams),
		Replicas:   orDefault(o.Replicas, defaultReplicas),
	}

	return layout, layout.validate()
}

func orDefault[T int | int64](value, standard T) T {
	if value == 0 {
		return standard
	}

	return value
}

// loadLayout reads the stored layout. At the first start it stores the one that o asks for; of several
// processes that start at once one wins, and all use its layout.
func loadLayout(ctx context.Context, bucket jetstream.KeyValue, o Options) (Layout, error) {
	entry, err := bucket.Get(ctx, layoutKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		layout, layoutErr := newLayout(o)
		if layoutErr != nil {
			return Layout{}, layoutErr
		}

		value, jsonErr := json.Marshal(layout)
		if jsonErr != nil {
			return Layout{}, fmt.Errorf("encoding the layout: %w", jsonErr)
		}

		_, err = bucket.Create(ctx, layoutKey, value)
		if err == nil {
			return layout, nil
		}

		if errors.Is(err, jetstream.ErrKeyExists) {
			entry, err = bucket.Get(ctx, layoutKey)
		}

		if errors.Is(err, jetstream.ErrKeyNotFound) { // a replica answered that is a moment behind
			err = fmt.Errorf("%w: %w", errBehind, err)
		}
	}

	if err != nil {
		return Layout{}, fmt.Errorf("reading the layout: %w", err)
	}

	var layout Layout
	if err := json.Unmarshal(entry.Value(), &layout); err != nil {
		return Layout{}, fmt.Errorf("decoding the layout: %w", err)
	}

	return layout, layout.accepts(o)
}

// accepts checks a stored layout, and that o does not ask for another one.
func (l Layout) accepts(o Options) error {
	if err := l.validate(); err != nil {
		return err
	}

	if o.Partitions != 0 && o.Partitions != l.Partitions {
		return fmt.Errorf("%w: it has %d partitions for ever, %d are asked for", ErrLayout, l.Partitions, o.Partitions)
	}

	if o.Streams != 0 && o.Streams != l.Streams {
		return fmt.Errorf("%w: it has %d streams for ever, %d are asked for", ErrLayout, l.Streams, o.Streams)
	}

	return nil
}
