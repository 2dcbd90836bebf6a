package snapshot

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// OpenOptions are what opening a place may need. Zero values work, but for the bucket of JetStream.
type OpenOptions struct {
	// JetStream keeps the bucket if no other place is named. Its connection is not closed here.
	JetStream jetstream.JetStream
	// Replicas is the number of servers that keep the bucket of JetStream, when it is made here. 0: 1.
	Replicas int
	// MaxBytes is the cap of the bucket of JetStream, when it is made here. 0: none.
	MaxBytes int64
}

// Open opens the place where snapshots are kept; see Validate for how it is named. Folders are made when missing, and
// so is the bucket of JetStream; one that speaks S3 must exist.
func Open(ctx context.Context, text string, o OpenOptions) (Vault, error) {
	p, err := parsePlace(text)

	switch {
	case err != nil:
		return nil, err
	case p.folder != "":
		return openFolder(p.folder)
	case p.bucket.bucket != "":
		return openS3(ctx, p.bucket)
	default:
		return openObjectStore(ctx, o)
	}
}
