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
	workspacePrefix      = "workspace."
	publishedPrefix      = "published."
	publishedRulesPrefix = "published_rules."
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
	if err := checkWorkspace(w.Name); err != nil {
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
	if err := checkWorkspace(name); err != nil {
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
