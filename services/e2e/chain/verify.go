package chain

import (
	"context"
	"fmt"
	"slices"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
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
		rests, err := r.look(ctx, &s)
		if err != nil || rests || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
}

// look compares once, and reports whether there is nothing left to wait for.
func (r *run) look(ctx context.Context, s *streams) (rests bool, err error) {
	stream, err := s.log.JetStream().Stream(ctx, "ALERTS")
	if err != nil {
		return false, fmt.Errorf("looking at ALERTS: %w", err)
	}
	got, forged := r.hook.Got()
	found, err := readAlerts(ctx, s.alerts, stream.CachedInfo().State.LastSeq)
	if err != nil {
		return false, err
	}
	want, err := refer(ctx, s.log)
	if err != nil {
		return false, err
	}
	noted, err := readJournal(ctx, s.journal)
	if err != nil {
		return false, err
	}
	heard, err := readHook(got)
	if err != nil {
		return false, err
	}
	p := &r.report
	p.Events, p.Transitions, p.Duplicated, p.Gaps = r.traffic.sent, len(want), found.duplicated, found.gaps
	p.Missed, p.Invented, p.Different = found.compare(want)
	p.WatchMissed, p.WatchRepeated = r.watcher.compare(want)
	p.Connections, p.WatchResets = r.watcher.connected()
	p.Notifications, p.Repeated, p.Changed, p.Retold = heard.notifications, heard.repeated, heard.changed, heard.retold
	p.Forged = forged
	r.untold(want, heard, noted)
	return p.Missed+p.Invented+p.WatchMissed+p.Untold+noted.waiting() == 0, nil
}

// untold counts the transitions that the webhook should have heard of and did not, and those that were left out with a
// reason that there may be.
func (r *run) untold(want map[string]*alertv1.Transition, heard *hooked, noted *journal) {
	r.report.Untold, r.report.Left = 0, map[string]int{}
	for id, t := range want {
		if !wanted(t.GetKind()) || heard.by[id] != "" {
			continue
		}
		switch reason := noted.reason(id); reason {
		case delivery.ReasonOvertaken, delivery.ReasonNotTold:
			r.report.Left[reason]++
		default:
			r.report.Untold++
		}
	}
}

// wanted says whether a receiver is told of a kind of transition, unless it says otherwise.
func wanted(k alertv1.Transition_Kind) bool {
	return slices.Contains([]alertv1.Transition_Kind{
		alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_WOKE, alertv1.Transition_KIND_ESCALATED,
		alertv1.Transition_KIND_RELEASED, alertv1.Transition_KIND_RESOLVED,
	}, k)
}
