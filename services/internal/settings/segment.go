package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

var (
	// ErrNoSegment is returned for a segment that is not there.
	ErrNoSegment = errors.New("settings: no such segment")
	// ErrSegmentRevision is returned when a segment is not of the revision that was to be replaced.
	ErrSegmentRevision = errors.New("settings: the segment was changed meanwhile")
	// ErrSegmentName is returned for a name that no segment can have.
	ErrSegmentName = errors.New("settings: a segment is named by a to z, 0 to 9, - and _")
)

// Segment is a filter of accounts with a name.
type Segment struct {
	// Workspace and Name of the segment; they never change.
	Workspace string `json:"-"`
	Name      string `json:"-"`
	// Filter is its text, Description says what it is for.
	Filter      string `json:"filter"`
	Description string `json:"description,omitempty"`
	// Revision is larger than that of any segment before it.
	Revision uint64 `json:"-"`
}

// SegmentChange is what a watch of segments tells.
type SegmentChange struct {
	// Synced is true, once and with nothing else, when all segments that were there at the start have been told.
	Synced bool
	// Segment that was stored or removed; of a removed or unreadable one only workspace, name and revision are known.
	Segment Segment
	// Removed says that there is no such segment any more.
	Removed bool
	// Err says why an entry cannot be read; such a segment counts as removed.
	Err error
}

// PutSegment stores a segment, unchecked, in place of the one with its revision (0: of whatever is there), and returns
// the new revision. The error is ErrSegmentRevision if another one is there.
func (s *Settings) PutSegment(ctx context.Context, one Segment) (revision uint64, err error) {
	key, err := segmentKey(one.Workspace, one.Name)
	if err != nil {
		return 0, err
	}

	value, err := json.Marshal(one)
	if err != nil {
		return 0, wrap(err, "encoding segment %q", one.Name)
	}

	if one.Revision == 0 {
		revision, err = s.segments.Put(ctx, key, value)
	} else {
		revision, err = s.segments.Update(ctx, key, value, one.Revision)
	}

	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, ErrSegmentRevision
	}

	return revision, wrap(err, "storing segment %q", one.Name)
}

// DeleteSegment removes a segment. The error is ErrNoSegment if there is none.
func (s *Settings) DeleteSegment(ctx context.Context, workspace, name string) error {
	key, err := segmentKey(workspace, name)
	if err != nil {
		return err
	}

	for {
		e, err := s.segments.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return ErrNoSegment
		}

		if err != nil {
			return wrap(err, "reading segment %q", name)
		}

		err = s.segments.Delete(ctx, key, jetstream.LastRevision(e.Revision()))
		if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
			continue // it was stored again meanwhile
		}

		return wrap(err, "removing segment %q", name)
	}
}

// WatchSegments calls f for every segment, first for those that are there and then for each change. It runs until ctx
// ends, f fails (with its error), NATS is closed (ErrClosed), or it was lost and is back (ErrReconnected).
func (s *Settings) WatchSegments(ctx context.Context, f func(SegmentChange) error) error {
	return s.watch(ctx, s.segments, func(e jetstream.KeyValueEntry) error {
		if e == nil {
			return f(SegmentChange{Synced: true})
		}

		return f(segmentChange(e))
	})
}

// segmentChange reads an entry of the segments bucket.
func segmentChange(e jetstream.KeyValueEntry) SegmentChange {
	workspace, name, _ := strings.Cut(e.Key(), ".")
	c := SegmentChange{Segment: Segment{Workspace: workspace, Name: name, Revision: e.Revision()}}

	if e.Operation() != jetstream.KeyValuePut {
		c.Removed = true

		return c
	}

	if err := json.Unmarshal(e.Value(), &c.Segment); err != nil {
		c.Removed, c.Err = true, wrap(err, "decoding segment %q", name)
	}

	return c
}

// segmentKey is a segment's key in the bucket; names of workspaces hold no dot.
func segmentKey(workspace, name string) (string, error) {
	if err := CheckWorkspace(workspace); err != nil {
		return "", err
	}

	if !workspaceName.MatchString(name) {
		return "", fmt.Errorf("%w: %q", ErrSegmentName, name)
	}

	return workspace + "." + name, nil
}
