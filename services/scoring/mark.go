package scoring

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hale.dev/services/internal/store"
)

// A mark notes outside the store how far a partition was stored. By it a store shows that was put back to an old
// backup, or lost more than it may.
type mark struct {
	// Stream is the identity of the log that was folded.
	Stream     string `json:"stream"`
	Generation uint64 `json:"generation"`
	Cursor     uint64 `json:"cursor"`
}

// beyond reports whether the mark is further than a head folded from the same log.
func (m mark) beyond(identity string, head store.Head) bool {
	if m.Stream != identity {
		return false
	}
	return m.Generation > head.Generation || (m.Generation == head.Generation && m.Cursor > head.Cursor)
}

// marks are those of a stream, by partition.
type marks map[int]mark

func (m marks) of(partition int) mark { return m[partition] }

// readMarks reads the marks of a stream. Marks that cannot be read are no reason to stand still.
func (s *Service) readMarks(ctx context.Context, stream int) (marks, error) {
	if s.deps.Marks == nil {
		return marks{}, nil
	}
	value, err := s.deps.Marks.Get(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("reading how far stream %d was: %w", stream, err)
	}
	m := marks{}
	if len(value) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(value, &m); err != nil {
		s.deps.Logger.WarnContext(ctx, "how far a stream was cannot be read", "stream", stream, "error", err)
		return marks{}, nil
	}
	return m, nil
}

// mark notes now and then, and at the end, how far the partitions are stored.
func (o *owner) mark(ctx context.Context) error {
	if o.service.deps.Marks == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	ticker := time.NewTicker(o.service.cfg.markEvery)
	defer ticker.Stop()
	last := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		all, sum := marks{}, uint64(0)
		for p, w := range o.workers {
			cursor := w.storedCursor.Load()
			all[p] = mark{Stream: w.partition.Stream, Generation: w.generation, Cursor: cursor}
			sum += cursor
		}
		if sum == last {
			continue
		}
		value, err := json.Marshal(all)
		if err == nil {
			err = o.service.deps.Marks.Put(ctx, o.stream, value)
		}
		if err != nil && ctx.Err() == nil {
			o.service.deps.Logger.WarnContext(ctx, "noting how far a stream is", "stream", o.stream, "error", err)
			continue
		}
		last = sum
	}
}
