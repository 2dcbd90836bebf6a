package jsretry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"
)

// Bucket opens a key-value bucket, and makes it if it is missing; several processes may do so at once. The configuration
// of one that is there stays as its operator set it. A cluster that has no leader yet is waited for until ctx ends;
// logger (nil: nobody) hears when that takes long.
func Bucket(
	ctx context.Context, js jetstream.JetStream, c jetstream.KeyValueConfig, logger *slog.Logger,
) (kv jetstream.KeyValue, err error) {
	c.Replicas, c.Storage = max(1, c.Replicas), jetstream.FileStorage
	err = Do(ctx, logger, func(ctx context.Context) error {
		kv, err = js.KeyValue(ctx, c.Bucket)
		if !errors.Is(err, jetstream.ErrBucketNotFound) {
			return err //nolint:wrapcheck // wrapped below
		}
		kv, err = js.CreateKeyValue(ctx, c)
		// Another process was faster, perhaps with other settings, or with streams that took all the room.
		if errors.Is(err, jetstream.ErrBucketExists) || NoStorage(err) {
			there, missing := js.KeyValue(ctx, c.Bucket)
			if errors.Is(missing, jetstream.ErrBucketNotFound) {
				return err //nolint:wrapcheck // wrapped below
			}
			kv, err = there, missing
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", c.Bucket, err)
	}
	return kv, nil
}
