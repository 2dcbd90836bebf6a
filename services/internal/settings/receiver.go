package settings

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

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
