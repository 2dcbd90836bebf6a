package settings

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// Receivers returns the workspace's document of receivers and its version. Version 0 and no document: none was set,
// nothing is delivered.
func (s *Settings) Receivers(ctx context.Context, workspace string) (version uint64, doc []byte, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, nil, err
	}

	e, err := s.receivers.Get(ctx, workspace)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil, nil
	}

	if err != nil {
		return 0, nil, wrap(err, "reading receivers of %q", workspace)
	}

	return e.Revision(), e.Value(), nil
}

// PutReceivers stores the workspace's document, unchecked, and returns its version: larger than any version of any
// workspace before it.
func (s *Settings) PutReceivers(ctx context.Context, workspace string, doc []byte) (version uint64, err error) {
	if err := CheckWorkspace(workspace); err != nil {
		return 0, err
	}

	version, err = s.receivers.Put(ctx, workspace, doc)

	return version, wrap(err, "storing receivers of %q", workspace)
}

// ReceiversChange is what a watch of receivers tells.
type ReceiversChange struct {
	// Synced is true, once and with nothing else, when all that were there at the start have been told.
	Synced bool
	// Workspace whose document was stored, its version, and the document.
	Workspace string
	Version   uint64
	Document  []byte
}

// WatchReceivers calls f for every workspace's document, first for those that are there and then as they are stored. It
// runs until ctx ends, f fails (with its error), NATS is closed (ErrClosed), or it was lost and is back
// (ErrReconnected).
func (s *Settings) WatchReceivers(ctx context.Context, f func(ReceiversChange) error) error {
	return s.watch(ctx, s.receivers, func(e jetstream.KeyValueEntry) error {
		switch {
		case e == nil:
			return f(ReceiversChange{Synced: true})
		case e.Operation() != jetstream.KeyValuePut:
			return f(ReceiversChange{Workspace: e.Key(), Version: e.Revision()})
		default:
			return f(ReceiversChange{Workspace: e.Key(), Version: e.Revision(), Document: e.Value()})
		}
	})
}
