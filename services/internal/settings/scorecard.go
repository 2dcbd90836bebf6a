package settings

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// Scorecards returns the workspace's document and its version. Version 0 and no document: none was set, the
// shipped one applies.
func (s *Settings) Scorecards(ctx context.Context, workspace string) (version uint64, doc []byte, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, nil, err
	}

	e, err := s.scorecards.Get(ctx, workspace)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil, nil
	}

	if err != nil {
		return 0, nil, wrap(err, "reading scorecards of %q", workspace)
	}

	return e.Revision(), e.Value(), nil
}

// PutScorecards stores the workspace's document, unchecked, and returns its version: larger than any version of any
// workspace before it. It takes effect only when the log holds it.
func (s *Settings) PutScorecards(ctx context.Context, workspace string, doc []byte) (version uint64, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, err
	}

	version, err = s.scorecards.Put(ctx, workspace, doc)

	return version, wrap(err, "storing scorecards of %q", workspace)
}

// WatchScorecards calls f for every workspace's document, first for those that are there and then as they are
// stored. It runs until ctx ends, f fails (with its error), NATS is closed (ErrClosed), or
// it was lost and is back (ErrReconnected).
func (s *Settings) WatchScorecards(
	ctx context.Context, f func(workspace string, version uint64, doc []byte) error,
) error {
	return s.watch(ctx, s.scorecards, jetstream.AllKeys, func(e jetstream.KeyValueEntry) error {
		if e == nil || e.Operation() != jetstream.KeyValuePut {
			return nil
		}

		return f(e.Key(), e.Revision(), e.Value())
	})
}
