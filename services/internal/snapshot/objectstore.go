package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// The bucket has the layout of JetStream's object stores, so that their tools can read it. It is written and read here
// rather than by the client's object store because snapshots are large and the log they share a server with must not
// feel them: one chunk at a time is on its way, an object is named only when all its chunks are acknowledged, a read
// waits for a replica that is behind, and what was deleted leaves nothing that every list would read again.
const (
	objectBucket  = "hale_snapshots"
	objectStream  = "OBJ_" + objectBucket
	objectPrefix  = "$O." + objectBucket + "."
	chunkSubjects = objectPrefix + "C."
	metaSubjects  = objectPrefix + "M."

	objectChunk  = 512 << 10
	cleanTimeout = 30 * time.Second

	codeInsufficientResources = jetstream.ErrorCode(10023)
	codeStorageExceeded       = jetstream.ErrorCode(10047)
	codeStoreFailed           = jetstream.ErrorCode(10077)
)

// objectStore keeps objects in a bucket of JetStream.
type objectStore struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	chunk  int
}

var _ Vault = (*objectStore)(nil)

// openObjectStore opens the bucket, and makes it at the first start; several processes may do so at once. A bucket
// that exists stays as its operator set it.
func openObjectStore(ctx context.Context, o OpenOptions) (*objectStore, error) {
	if o.JetStream == nil {
		return nil, fmt.Errorf("%w: there is no JetStream to keep snapshots in", ErrPlace)
	}

	var stream jetstream.Stream

	err := patiently(ctx, func(ctx context.Context) (err error) {
		stream, err = o.JetStream.Stream(ctx, objectStream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			stream, err = o.JetStream.CreateStream(ctx, objectConfig(o))
		}

		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster, with other options
			stream, err = o.JetStream.Stream(ctx, objectStream)
		}

		return err //nolint:wrapcheck // below
	})
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", objectBucket, noRoom(err))
	}

	chunk := objectChunk
	if conn := o.JetStream.Conn(); conn != nil {
		chunk = min(chunk, int(conn.MaxPayload()/2)) //nolint:mnd // leaves room for the headers
	}

	return &objectStore{js: o.JetStream, stream: stream, chunk: max(1, chunk)}, nil
}

func objectConfig(o OpenOptions) jetstream.StreamConfig {
	maxBytes := o.MaxBytes
	if maxBytes == 0 {
		maxBytes = -1
	}

	return jetstream.StreamConfig{
		Name:        objectStream,
		Description: "Snapshots of partitions",
		Subjects:    []string{chunkSubjects + ">", metaSubjects + ">"},
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    maxBytes,
		Replicas:    max(1, o.Replicas),
		AllowRollup: true,
		AllowDirect: false, // a replica that is behind would not know what was just written
	}
}

// Put implements Vault.
func (s *objectStore) Put(ctx context.Context, name string, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}

	former, err := s.info(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}

	info := &jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{
			Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: uint32(s.chunk)}, //nolint:gosec // positive
		},
		Bucket: objectBucket, NUID: nuid.Next(),
	}

	if err = s.upload(ctx, info, source(ctx, r)); err != nil {
		return fmt.Errorf("storing %s: %w", name, errors.Join(noRoom(err), s.purge(ctx, chunkSubjects+info.NUID)))
	}

	if err = s.name(ctx, info); err != nil { // it may have arrived all the same
		return fmt.Errorf("storing %s: %w", name,
			errors.Join(noRoom(err), s.purge(ctx, metaSubject(name), chunkSubjects+info.NUID)))
	}

	if former != nil {
		return s.purge(ctx, chunkSubjects+former.NUID)
	}

	return nil
}

// upload writes the chunks. Each says which one it follows, so that an answer that got lost can neither double nor
// reorder them.
func (s *objectStore) upload(ctx context.Context, info *jetstream.ObjectInfo, r io.Reader) error {
	digest, buf, last := sha256.New(), make([]byte, s.chunk), uint64(0)

	for end := false; !end; {
		n, err := io.ReadFull(r, buf)
		if end = err == io.EOF || err == io.ErrUnexpectedEOF; err != nil && !end { //nolint:errorlint // a wrapped one is no end
			return err //nolint:wrapcheck // by source
		}

		if n == 0 {
			break
		}

		ack, err := s.publish(ctx, &nats.Msg{Subject: chunkSubjects + info.NUID, Data: buf[:n]},
			jetstream.WithExpectLastSequencePerSubject(last))
		if err != nil {
			return fmt.Errorf("writing chunk %d: %w", info.Chunks, err)
		}

		_, _ = digest.Write(buf[:n]) // never fails
		info.Size += uint64(n)       //nolint:gosec // not negative
		info.Chunks++
		last = ack.Sequence
	}

	info.Digest = jetstream.GetObjectDigestValue(digest)

	return nil
}

// name makes the object seen.
func (s *objectStore) name(ctx context.Context, info *jetstream.ObjectInfo) error {
	data, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("encoding its entry: %w", err)
	}

	_, err = s.publish(ctx, &nats.Msg{
		Subject: metaSubject(info.Name), Data: data,
		Header: nats.Header{jetstream.MsgRollup: []string{jetstream.MsgRollupSubject}},
	})
	if err != nil {
		return fmt.Errorf("writing its entry: %w", err)
	}

	return nil
}

func (s *objectStore) publish(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()

	// Without a leader nobody answers, and nothing is stored.
	o = append(o, jetstream.WithExpectStream(objectStream),
		jetstream.WithRetryWait(publishPause), jetstream.WithRetryAttempts(publishTries))

	return s.js.PublishMsg(ctx, m, o...) //nolint:wrapcheck // by callers
}

// noRoom names the errors of a server or a bucket without room.
func noRoom(err error) error {
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch refused.ErrorCode {
		case codeInsufficientResources, codeStorageExceeded, codeStoreFailed:
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}

	return err
}

// purge removes all messages of some subjects, even when ctx has ended.
func (s *objectStore) purge(ctx context.Context, subjects ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()

	for _, subject := range subjects {
		if err := patiently(ctx, func(ctx context.Context) error {
			return s.stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
		}); err != nil {
			return fmt.Errorf("purging the bucket: %w", err)
		}
	}

	return nil
}

// Delete implements Vault.
func (s *objectStore) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}

	info, err := s.info(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	if err == nil {
		err = s.purge(ctx, metaSubject(name), chunkSubjects+info.NUID)
	}

	if err != nil {
		return fmt.Errorf("deleting %s: %w", name, err)
	}

	return nil
}
