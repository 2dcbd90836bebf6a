package query

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// unpublished are versions of documents of one kind of which it is not known whether every partition's log has them.
type unpublished struct {
	mu       sync.Mutex
	versions map[string]storedVersion // by workspace
}

// storedVersion is a document as the settings have it.
type storedVersion struct {
	version  uint64
	document []byte
	since    time.Time
}

// note takes a version up.
func (u *unpublished) note(ws string, version uint64, document []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()

	if u.versions[ws].version < version {
		u.versions[ws] = storedVersion{version: version, document: document, since: time.Now()}
	}
}

// due returns those that have been here for long enough.
func (u *unpublished) due(age time.Duration) map[string]storedVersion {
	u.mu.Lock()
	defer u.mu.Unlock()

	due := map[string]storedVersion{}

	for ws, v := range u.versions {
		if time.Since(v.since) >= age {
			due[ws] = v
		}
	}

	return due
}

// done forgets a version.
func (u *unpublished) done(ws string, version uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()

	if u.versions[ws].version == version {
		delete(u.versions, ws)
	}
}

// reconcile publishes what the settings have and the log may lack: after a crash between the two steps of
// applyDocument, or with a new log. It runs until ctx ends.
func (s *Service) reconcile(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)

	for _, kind := range []publishedKind{scorecards(), alertRules()} {
		open := &unpublished{versions: map[string]storedVersion{}}

		g.Go(func() error { return s.watchDocuments(ctx, kind, open) })
		g.Go(func() error { return s.republishDue(ctx, kind, open) })
	}

	return g.Wait() //nolint:wrapcheck // the errors below
}

// watchDocuments notes every version that is stored.
func (s *Service) watchDocuments(ctx context.Context, kind publishedKind, open *unpublished) error {
	for {
		err := kind.stored(s.deps.Settings).Watch(ctx, func(ws string, version uint64, doc []byte) error {
			open.note(ws, version, doc)

			return nil
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}

		s.deps.Logger.WarnContext(ctx, "watching "+kind.name+" again soon", "error", err)

		if err := sleep(ctx, s.cfg.ReconcileAfter); err != nil {
			return err
		}
	}
}

// republishDue publishes those that whoever stored them had time enough to publish.
func (s *Service) republishDue(ctx context.Context, kind publishedKind, open *unpublished) error {
	for {
		for ws, v := range open.due(s.cfg.ReconcileAfter) {
			if err := s.republish(ctx, kind, ws, v); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}

				s.deps.Logger.WarnContext(ctx, "publishing "+kind.name+" again soon", "workspace", ws, "error", err)

				continue
			}

			open.done(ws, v.version)
		}

		if err := sleep(ctx, s.cfg.ReconcileAfter); err != nil {
			return err
		}
	}
}

// republish publishes a version unless the log has it.
func (s *Service) republish(ctx context.Context, kind publishedKind, ws string, v storedVersion) error {
	published, err := kind.marks(s.deps.Settings).Published(ctx, ws, s.deps.Log.Layout().ID)
	if err != nil {
		return fmt.Errorf("asking whether %s %d are published: %w", kind.name, v.version, err)
	}

	if published >= v.version {
		return nil
	}

	s.deps.Logger.InfoContext(ctx, "publishing "+kind.name+" that the log lacks", "workspace", ws, "version", v.version)

	_, err = s.publish(ctx, kind, ws, v.version, v.document)

	return err
}
