package chain

import (
	"context"
	"fmt"
	"time"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/eventlog"
)

// streams are what is read past all services.
type streams struct {
	log     *eventlog.Log
	alerts  *alertlog.Log
	journal *delivery.Stream
}

// verify waits until everything has come to rest, and compares. What has not come to rest in time counts as missed.
func (r *run) verify(ctx context.Context) error {
	for _, p := range []*rig.Process{r.cluster.Scoring, r.cluster.Query, r.notify} {
		if err := r.cluster.WaitReady(ctx, p); err != nil {
			return err
		}
	}
	conn, err := eventlog.Connect(ctx, "nats://"+r.cluster.NATSAddr, nil)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	var s streams
	if s.log, err = eventlog.Open(ctx, conn, eventlog.Options{}); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	if s.alerts, err = alertlog.Open(ctx, s.log.JetStream(), alertlog.Options{}); err != nil {
		return fmt.Errorf("opening ALERTS: %w", err)
	}
	if s.journal, err = delivery.Open(ctx, s.log.JetStream(), delivery.Options{}); err != nil {
		return fmt.Errorf("opening NOTIFY: %w", err)
	}
	const look = 500 * time.Millisecond
	for end := time.Now().Add(r.o.Settle); ; {
		want, rests, err := r.look(ctx, &s)
		if err != nil {
			return err
		}
		if rests || time.Now().After(end) {
			r.report.Oracle = differ(want)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
}

// look compares once, and returns what the log decides, and whether there is nothing left to wait for.
func (r *run) look(ctx context.Context, s *streams) (want *decided, rests bool, err error) {
	stream, err := s.log.JetStream().Stream(ctx, "ALERTS")
	if err != nil {
		return nil, false, fmt.Errorf("looking at ALERTS: %w", err)
	}
	got, forged := r.hook.Got()
	found, err := readAlerts(ctx, s.alerts, stream.CachedInfo().State.LastSeq)
	if err != nil {
		return nil, false, err
	}
	want, err = refer(ctx, s.log)
	if err != nil {
		return nil, false, err
	}
	noted, err := readJournal(ctx, s.journal)
	if err != nil {
		return nil, false, err
	}
	heard, err := readHook(got)
	if err != nil {
		return nil, false, err
	}
	p := &r.report
	p.Events, p.Transitions, p.Duplicated, p.Gaps = r.traffic.sent, len(want.transitions), found.duplicated, found.gaps
	p.Kinds = want.kinds()
	p.Missed, p.Invented, p.Different = found.compare(want.transitions)
	p.WatchMissed, p.WatchRepeated = r.watcher.compare(want.transitions)
	p.Connections, p.WatchResets = r.watcher.connected()
	p.Notifications, p.Repeated, p.Changed, p.Retold = heard.notifications, heard.repeated, heard.changed, heard.retold
	p.Forged = forged
	p.Left, p.Untold, p.Leaked = want.told(heard, noted)
	r.desk.judge(want, p)
	return want, p.Missed+p.Invented+p.WatchMissed+p.Untold+noted.waiting() == 0, nil
}
