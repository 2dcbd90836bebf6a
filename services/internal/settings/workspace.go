package settings

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Prefixes of the keys in the workspaces bucket; names of workspaces hold no dot.
const (
	workspacePrefix = "workspace."
	publishedPrefix = "published."
)

// Workspace is an isolated set of accounts, keys and settings.
type Workspace struct {
	// Name of the workspace; it never changes.
	Name string `json:"-"`
	// Created is when it was made.
	Created time.Time `json:"created"`
	// Bootstrap identifies the set of keys that was made together with the workspace, if any.
	Bootstrap string `json:"bootstrap,omitempty"`
}

// CreateWorkspace makes the workspace unless it exists. It returns the one that stands, and whether this call
// made it.
func (s *Settings) CreateWorkspace(ctx context.Context, w Workspace) (Workspace, bool, error) {
	if err := CheckWorkspace(w.Name); err != nil {
		return Workspace{}, false, err
	}

	value, err := json.Marshal(w)
	if err != nil {
		return Workspace{}, false, wrap(err, "encoding workspace %q", w.Name)
	}

	_, err = s.workspaces.Create(ctx, workspacePrefix+w.Name, value)
	if err == nil {
		return w, true, nil
	}

	if !errors.Is(err, jetstream.ErrKeyExists) {
		return Workspace{}, false, wrap(err, "making workspace %q", w.Name)
	}

	found, _, err := s.Workspace(ctx, w.Name)

	return found, false, err
}

// Workspace returns a workspace; ok is false if there is none of that name.
func (s *Settings) Workspace(ctx context.Context, name string) (w Workspace, ok bool, err error) {
	if err := CheckWorkspace(name); err != nil {
		return Workspace{}, false, err
	}

	e, err := s.workspaces.Get(ctx, workspacePrefix+name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Workspace{}, false, nil
	}

	if err != nil {
		return Workspace{}, false, wrap(err, "reading workspace %q", name)
	}

	if err := json.Unmarshal(e.Value(), &w); err != nil {
		return Workspace{}, false, wrap(err, "decoding workspace %q", name)
	}

	w.Name = name

	return w, true, nil
}

// Workspaces returns the names of all workspaces, in order.
func (s *Settings) Workspaces(ctx context.Context) ([]string, error) {
	keys, err := s.workspaces.ListKeysFiltered(ctx, workspacePrefix+"*")
	if err != nil {
		return nil, wrap(err, "listing workspaces")
	}

	var names []string
	for k := range keys.Keys() {
		names = append(names, strings.TrimPrefix(k, workspacePrefix))
	}

	if err := context.Cause(ctx); err != nil { // the list may be cut short
		return nil, wrap(err, "listing workspaces")
	}

	slices.Sort(names)

	return slices.Compact(names), nil
}

// Mark says which version of a workspace's scorecards is in every partition of a log.
type Mark struct {
	// Layout identifies the log; a mark for another log says nothing about this one.
	Layout string `json:"layout"`
	// Version is the newest version that every partition's log holds; 0: none.
	Version uint64 `json:"version"`
}

// Published returns the newest version of the workspace's scorecards that every partition of the log of that
// layout holds; 0: none is known to be there.
func (s *Settings) Published(ctx context.Context, workspace, layout string) (uint64, error) {
	m, _, err := s.mark(ctx, workspace)
	if err != nil || m.Layout != layout {
		return 0, err
	}

	return m.Version, nil
}

// MarkPublished says that every partition of the log of that layout holds the version. A mark never falls back.
func (s *Settings) MarkPublished(ctx context.Context, workspace, layout string, version uint64) error {
	for {
		m, revision, err := s.mark(ctx, workspace)
		if err != nil {
			return err
		}

		if m.Layout == layout && m.Version >= version {
			return nil
		}

		value, err := json.Marshal(Mark{Layout: layout, Version: version})
		if err != nil {
			return wrap(err, "encoding the mark of %q", workspace)
		}

		// Revision 0 stands for an entry that does not exist yet.
		_, err = s.workspaces.Update(ctx, publishedPrefix+workspace, value, revision)
		if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
			continue
		}

		return wrap(err, "marking scorecards of %q as published", workspace)
	}
}

// mark reads the mark of a workspace and the revision to replace.
func (s *Settings) mark(ctx context.Context, workspace string) (m Mark, revision uint64, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return Mark{}, 0, err
	}

	e, err := s.workspaces.Get(ctx, publishedPrefix+workspace)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Mark{}, 0, nil
	}

	if err != nil {
		return Mark{}, 0, wrap(err, "reading what was published for %q", workspace)
	}

	if err := json.Unmarshal(e.Value(), &m); err != nil {
		return Mark{}, 0, wrap(err, "decoding what was published for %q", workspace)
	}

	return m, e.Revision(), nil
}
