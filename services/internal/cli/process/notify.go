package process

import (
	"context"
	"fmt"

	"hale.dev/services/notify"
)

// leaseKey is what the processes of notify lead in turns.
const leaseKey = "notify"

// buildNotify makes the notify service. Several may run: one of them delivers, the others stand by.
func (s *session) buildNotify(ctx context.Context, b *base) (service, error) {
	leader, err := notify.NewLeader(ctx, b.log.JetStream(), notify.LeaderOptions{
		Key: leaseKey, Name: s.member().Name, TTL: s.config.Notify.Lease, Replicas: b.log.Layout().Replicas, Logger: s.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the lease: %w", err)
	}

	deps := notify.Deps{
		Alerts: b.alerts, Journal: b.delivered, Settings: b.settings, Leader: leader,
		Logger: s.logger, Meter: s.telemetry.Meter,
	}
	if b.store != nil {
		deps.Portfolio = notify.NewPortfolio(b.store, b.log.Layout().Partitions)
	}

	return notify.New(s.config.Notify, deps)
}
