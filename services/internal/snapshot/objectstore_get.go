package snapshot

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// How chunks are pulled: a few at once, so that a slow reader holds little.
const (
	pullChunks    = 8
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	// chunkPatience is how long the next chunk may take.
	chunkPatience = 30 * time.Second
)

// Get implements Vault.
func (s *objectStore) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}

	info, err := s.info(ctx, name)
	if err != nil {
		return nil, err
	}

	subject := chunkSubjects + info.NUID

	// A consumer may live on a replica that is behind, and end early; the leader knows how many there are.
	counted, err := s.subjects(ctx, subject)
	if err != nil {
		return nil, err
	}

	if counted[subject] != uint64(info.Chunks) {
		return nil, fmt.Errorf("%w: %s has %d of %d chunks", ErrDamaged, name, counted[subject], info.Chunks)
	}

	c := &chunks{name: name, left: info.Chunks, want: info.Digest, digest: sha256.New()}
	if info.Chunks == 0 {
		return c, nil
	}

	consumer, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{subject}, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("making a consumer for %s: %w", name, err)
	}

	messages, err := consumer.Messages(jetstream.PullMaxMessages(pullChunks), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return nil, fmt.Errorf("pulling the chunks of %s: %w", name, err)
	}

	c.stop = messages.Stop
	c.next = func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, chunkPatience)
		defer cancel()

		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("waiting for a chunk of %s: %w", name, err)
		}

		return m.Data(), nil
	}

	return c, nil
}

// chunks reads an object.
type chunks struct {
	name   string
	next   func() ([]byte, error)
	stop   func()
	left   uint32
	chunk  []byte
	digest hash.Hash
	want   string
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	for len(c.chunk) == 0 {
		if c.left == 0 {
			return 0, c.end()
		}

		chunk, err := c.next()
		if err != nil {
			return 0, err
		}

		c.chunk = chunk
		c.left--
		_, _ = c.digest.Write(chunk) // never fails
	}

	n := copy(p, c.chunk)
	c.chunk = c.chunk[n:]

	return n, nil
}

func (c *chunks) end() error {
	if jetstream.GetObjectDigestValue(c.digest) != c.want {
		return fmt.Errorf("%w: %s has another digest", ErrDamaged, c.name)
	}

	return io.EOF
}

// Close implements io.Closer.
func (c *chunks) Close() error {
	if c.stop != nil {
		c.stop()
	}

	return nil
}
