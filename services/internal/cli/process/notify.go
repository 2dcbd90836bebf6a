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

	switch partitions := b.log.Layout().Partitions; {
	case b.store != nil:
		deps.Portfolio = notify.NewPortfolio(b.store, partitions)
	case s.config.Redis != "":
		late := &lateStore{open: s.openRedis}
		s.later("closing the store of digests", late.Close)
		deps.Portfolio = notify.NewPortfolio(late, partitions)
	}

	return notify.New(s.config.Notify, deps)
}
