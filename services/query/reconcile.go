package query

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// unpublished are versions of scorecards of which it is not known whether every partition's log has them.
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
// ApplyScorecards, or with a new log. It runs until ctx ends.
func (s *Service) reconcile(ctx context.Context) error {
	open := &unpublished{versions: map[string]storedVersion{}}
	g, ctx := errgroup.WithContext(ctx)

	g.Go(func() error {
		for {
			err := s.deps.Settings.WatchScorecards(ctx, func(ws string, version uint64, document []byte) error {
				open.note(ws, version, document)

				return nil
			})
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}

			s.deps.Logger.WarnContext(ctx, "watching scorecards again soon", "error", err)

			if err := sleep(ctx, s.cfg.ReconcileAfter); err != nil {
				return err
			}
		}
	})
	g.Go(func() error {
		for {
			for ws, v := range open.due(s.cfg.ReconcileAfter) {
				if err := s.republish(ctx, ws, v); err != nil {
					s.deps.Logger.WarnContext(ctx, "publishing scorecards again soon", "workspace", ws, "error", err)

					continue
				}

				open.done(ws, v.version)
			}

			if err := sleep(ctx, s.cfg.ReconcileAfter); err != nil {
				return err
			}
		}
	})

	return g.Wait() //nolint:wrapcheck // the errors above
}

// republish publishes a version unless the log has it.
func (s *Service) republish(ctx context.Context, ws string, v storedVersion) error {
	published, err := s.deps.Settings.Published(ctx, ws, s.deps.Log.Layout().ID)
	if err != nil {
		return fmt.Errorf("asking whether scorecards %d are published: %w", v.version, err)
	}

	if published >= v.version {
		return nil
	}

	s.deps.Logger.InfoContext(ctx, "publishing scorecards that the log lacks", "workspace", ws, "version", v.version)

	_, err = s.publish(ctx, ws, v.version, v.document)

	return err
}
