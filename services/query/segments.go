package query

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"hale.dev/services/internal/settings"
	"hale.dev/services/query/internal/column"
)

// errSegments says why lists cannot name segments yet.
var errSegments = errors.New("query: the segments are being read")

// segments are the named filters of all workspaces, as the settings have them. It is safe for concurrent use.
type segments struct {
	logger *slog.Logger
	synced atomic.Bool

	mu sync.Mutex
	in map[string]*segmentsIn
}

// segmentsIn are the segments of one workspace.
type segmentsIn struct {
	all map[string]*segment
	// revision of the newest change, and changed is closed by the next one.
	revision uint64
	changed  chan struct{}
}

// segment is a named filter.
type segment struct {
	settings.Segment

	filter *column.Filter
}

func newSegments(l *slog.Logger) *segments {
	return &segments{logger: l, in: map[string]*segmentsIn{}}
}

// ready returns nil when all segments have been read.
func (s *segments) ready() error {
	if s.synced.Load() {
		return nil
	}

	return errSegments
}

// run follows the settings until ctx ends.
func (s *segments) run(ctx context.Context, from *settings.Settings) error {
	for {
		err := from.WatchSegments(ctx, func(c settings.SegmentChange) error {
			s.take(ctx, c)

			return nil
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}

		s.logger.WarnContext(ctx, "watching segments again soon", "error", err)

		if err := sleep(ctx, retryLeast); err != nil {
			return err
		}
	}
}

// take takes a change up. Those that are known already, as after the watch began anew, change nothing.
func (s *segments) take(ctx context.Context, c settings.SegmentChange) {
	if c.Synced {
		s.synced.Store(true)

		return
	}

	one := &segment{Segment: c.Segment}

	if !c.Removed {
		one.filter, c.Err = column.ParseFilter(c.Segment.Filter, nil)
	}

	if c.Err != nil {
		s.logger.ErrorContext(ctx, "a segment that cannot be used", "workspace", one.Workspace, "segment", one.Name,
			"error", c.Err)
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	in := s.of(one.Workspace)
	if one.Revision <= in.revision {
		return
	}

	if c.Removed || c.Err != nil {
		delete(in.all, one.Name)
	} else {
		in.all[one.Name] = one
	}

	in.revision = one.Revision
	close(in.changed)
	in.changed = make(chan struct{})
}

// of returns the segments of a workspace. The lock is held.
func (s *segments) of(workspace string) *segmentsIn {
	in := s.in[workspace]
	if in == nil {
		in = &segmentsIn{all: map[string]*segment{}, changed: make(chan struct{})}
		s.in[workspace] = in
	}

	return in
}

// get returns a segment of a workspace.
func (s *segments) get(workspace, name string) (*segment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	one, ok := s.of(workspace).all[name]

	return one, ok
}

// named finds the filter of a segment.
func (s *segments) named(workspace, name string) (*column.Filter, bool) {
	one, ok := s.get(workspace, name)
	if !ok {
		return nil, false
	}

	return one.filter, true
}

// revision is that of the newest change of a workspace's segments that is known.
func (s *segments) revision(workspace string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.of(workspace).revision
}

// list returns all segments of a workspace, in no order.
func (s *segments) list(workspace string) []*segment {
	s.mu.Lock()
	defer s.mu.Unlock()

	in := s.of(workspace)
	all := make([]*segment, 0, len(in.all))

	for _, one := range in.all {
		all = append(all, one)
	}

	return all
}

// changed returns a channel that is closed by the next change of a segment in a workspace.
func (s *segments) changed(workspace string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.of(workspace).changed
}

// until returns once a change is known here, or the cause that ended ctx.
func (s *segments) until(ctx context.Context, workspace string, done func() bool) error {
	for {
		changed := s.changed(workspace) // before the look
		if done() {
			return nil
		}

		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
