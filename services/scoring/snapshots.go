package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/internal/snapshot"
)

// firstSnapshot is how long a stream is owned before its first snapshot is made, where there never was one.
const firstSnapshot = 10 * time.Minute

// nextSnapshot is when the stream's next snapshots are due.
func (o *owner) nextSnapshot(ctx context.Context) time.Time {
	every := o.service.cfg.SnapshotEvery
	next := time.Now().Add(min(firstSnapshot, every))
	for p := range o.workers {
		all, err := o.service.deps.Archive.List(ctx, p)
		if err != nil {
			o.service.deps.Logger.WarnContext(ctx, "listing snapshots", "partition", p, "error", err)
			return next
		}
		if len(all) > 0 && all[0].Created.Add(every).After(next) {
			next = all[0].Created.Add(every)
		}
	}
	return next
}

// snapshot writes a snapshot of a partition, unless the newest one is as new.
func (o *owner) snapshot(ctx context.Context, partition int) (snapshot.Info, error) {
	s, w := o.service, o.workers[partition]
	all, err := s.deps.Archive.List(ctx, partition)
	if err != nil {
		return snapshot.Info{}, fmt.Errorf("listing snapshots of partition %d: %w", partition, err)
	}
	if len(all) > 0 && all[0].Cursor == w.storedCursor.Load() {
		return all[0], nil
	}
	made, err := s.deps.Archive.Create(ctx, partition, func(out *snapshot.Writer) (snapshot.Meta, error) {
		return w.copyTo(ctx, out)
	})
	if err != nil {
		return made, fmt.Errorf("writing a snapshot of partition %d: %w", partition, err)
	}
	if _, err := s.deps.Archive.Prune(ctx, partition, s.cfg.SnapshotKeep); err != nil {
		s.deps.Logger.WarnContext(ctx, "removing old snapshots", "partition", partition, "error", err)
	}
	return made, nil
}

// snapshots writes those of all partitions of the stream and lets the log forget what all of them are past.
func (o *owner) snapshots(ctx context.Context) {
	s := o.service
	for p := range o.workers {
		if _, err := o.snapshot(ctx, p); err != nil {
			if ctx.Err() == nil {
				s.metrics.alarm(ctx, codeSnapshotFailed)
				s.deps.Logger.ErrorContext(ctx, "a snapshot cannot be written: the log keeps what it would cover",
					"code", codeSnapshotFailed, "partition", p, "error", err)
			}
			return
		}
	}
	if _, err := s.deps.Archive.Sweep(ctx); err != nil && ctx.Err() == nil {
		s.deps.Logger.WarnContext(ctx, "removing what crashes left of snapshots", "error", err)
	}
	if err := o.trim(ctx); err != nil && ctx.Err() == nil {
		s.deps.Logger.WarnContext(ctx, "the log cannot be trimmed", "stream", o.stream, "error", err)
	}
}

// trim removes the messages of the stream that are older than the log is kept, up to the oldest good snapshot of every
// partition and never beyond: facts that know no window live on in the snapshots only.
func (o *owner) trim(ctx context.Context) error {
	s := o.service
	upTo, err := s.deps.Log.SequenceBefore(ctx, o.stream, s.cfg.Now().Add(-s.cfg.Retention))
	if err != nil || upTo == 0 {
		return err
	}
	for p := range o.workers {
		identity := o.workers[p].partition.Stream
		oldest, _, err := s.deps.Archive.OldestGood(ctx, p, func(m snapshot.Meta) bool { return m.Stream == identity })
		if errors.Is(err, snapshot.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for the oldest snapshot of partition %d: %w", p, err)
		}
		upTo = min(upTo, oldest.Cursor)
	}
	removed, err := s.deps.Log.Trim(ctx, o.stream, upTo)
	if err != nil {
		return fmt.Errorf("trimming stream %d up to %d: %w", o.stream, upTo, err)
	}
	if removed > 0 {
		s.deps.Logger.InfoContext(ctx, "the log was trimmed", "stream", o.stream, "up_to", upTo, "messages", removed)
	}
	return nil
}
