package settings

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// Documents keeps one document for each workspace, in versions.
type Documents struct {
	settings *Settings
	bucket   jetstream.KeyValue
	what     string // for people
}

// PublishedDocuments are documents that take effect only when the log holds them: which version every partition's log
// has is noted here too.
type PublishedDocuments struct {
	Documents

	prefix string // of the marks in the workspaces bucket
}

// Scorecards are the workspaces' scorecards.
func (s *Settings) Scorecards() *PublishedDocuments {
	return &PublishedDocuments{Documents{s, s.scorecards, "scorecards"}, publishedPrefix}
}

// Rules are the workspaces' rules of alerts.
func (s *Settings) Rules() *PublishedDocuments {
	return &PublishedDocuments{Documents{s, s.rules, "rules"}, publishedRulesPrefix}
}

// Receivers are the workspaces' receivers of alerts. They take effect as they are stored.
func (s *Settings) Receivers() *Documents { return &Documents{s, s.receivers, "receivers"} }

// Get returns the workspace's document and its version. Version 0 and no document: none was set; where there is a shipped
// one it applies.
func (d *Documents) Get(ctx context.Context, workspace string) (version uint64, doc []byte, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, nil, err
	}

	e, err := d.bucket.Get(ctx, workspace)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil, nil
	}

	if err != nil {
		return 0, nil, wrap(err, "reading %s of %q", d.what, workspace)
	}

	return e.Revision(), e.Value(), nil
}

// Put stores the workspace's document, unchecked, and returns its version: larger than any version of any workspace
// before it.
func (d *Documents) Put(ctx context.Context, workspace string, doc []byte) (version uint64, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, err
	}

	version, err = d.bucket.Put(ctx, workspace, doc)

	return version, wrap(err, "storing %s of %q", d.what, workspace)
}

// Watch calls f for every workspace's document, first for those that are there and then as they are stored. It runs
// until ctx ends, f fails (with its error), NATS is closed (ErrClosed), or it was lost and is back (ErrReconnected).
func (d *Documents) Watch(
	ctx context.Context, f func(workspace string, version uint64, doc []byte) error,
) error {
	return d.settings.watch(ctx, d.bucket, func(e jetstream.KeyValueEntry) error {
		if e == nil || e.Operation() != jetstream.KeyValuePut {
			return nil
		}

		return f(e.Key(), e.Revision(), e.Value())
	})
}

// Mark says which version of a workspace's document is in every partition of a log.
type Mark struct {
	// Layout identifies the log; a mark for another log says nothing about this one.
	Layout string `json:"layout"`
	// Version is the newest version that every partition's log holds; 0: none.
	Version uint64 `json:"version"`
}

// Published returns the newest version of the workspace's document that every partition of the log of that layout
// holds; 0: none is known to be there.
func (d *PublishedDocuments) Published(ctx context.Context, workspace, layout string) (uint64, error) {
	m, _, err := d.mark(ctx, workspace)
	if err != nil || m.Layout != layout {
		return 0, err
	}

	return m.Version, nil
}

// MarkPublished says that every partition of the log of that layout holds the version. A mark never falls back.
func (d *PublishedDocuments) MarkPublished(ctx context.Context, workspace, layout string, version uint64) error {
	for {
		m, revision, err := d.mark(ctx, workspace)
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
		_, err = d.settings.workspaces.Update(ctx, d.prefix+workspace, value, revision)
		if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
			continue
		}

		return wrap(err, "marking %s of %q as published", d.what, workspace)
	}
}

// mark reads the mark of a workspace and the revision to replace.
func (d *PublishedDocuments) mark(ctx context.Context, workspace string) (m Mark, revision uint64, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return Mark{}, 0, err
	}

	e, err := d.settings.workspaces.Get(ctx, d.prefix+workspace)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Mark{}, 0, nil
	}

	if err != nil {
		return Mark{}, 0, wrap(err, "reading which %s were published for %q", d.what, workspace)
	}

	if err := json.Unmarshal(e.Value(), &m); err != nil {
		return Mark{}, 0, wrap(err, "decoding which %s were published for %q", d.what, workspace)
	}

	return m, e.Revision(), nil
}
