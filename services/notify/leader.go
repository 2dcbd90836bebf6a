package notify

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/notify/internal/lease"
)

// LeaderOptions say who wants to lead what.
type LeaderOptions = lease.Options

// NewLeader lets one of the processes that use the same JetStream lead.
func NewLeader(ctx context.Context, js jetstream.JetStream, o LeaderOptions) (Leader, error) {
	return lease.Open(ctx, js, o)
}
