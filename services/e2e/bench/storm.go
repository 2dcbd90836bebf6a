package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/store/redis"
)

const (
	stormPart = "u"
	// stormOwners is how many owners the accounts have: each is told of its own.
	stormOwners = 100
	// stormRules hold for nobody on the day of the events, and for everybody on the next.
	stormRules = `
kind: rules
rules:
  - {name: away, summary: Nobody was seen today, severity: warning, when: measures.days_since_seen >= 1, owner: "@account"}
`
	stormGrouping = "group_by: [owner], group_wait: 10s, group_interval: 10s"
)

// storm measures a midnight at which every account crosses a threshold: how long until all is decided, is in ALERTS, and is
// delivered; how many notifications that makes, and how much memory.
func storm(ctx context.Context, b *bench) error {
	c, err := rig.NewCluster(b.dir, b.programs, rig.Options{})
	if err != nil {
		return fmt.Errorf("laying out: %w", err)
	}
	defer c.Stop()
	if err := errors.Join(c.Restart(ctx, c.NATS), c.Restart(ctx, c.Redis)); err != nil {
		return fmt.Errorf("starting servers: %w", err)
	}
	s, err := redis.Open(ctx, redis.Options{URL: "redis://" + c.RedisAddr})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer func() { _ = s.Close() }()
	conn, err := nats.Connect("nats://" + c.NATSAddr)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	n, err := openNight(ctx, conn, s)
	if err != nil {
		return err
	}
	if n.alerts, err = alertlog.Open(ctx, n.log.JetStream(), alertlog.Options{}); err != nil {
		return fmt.Errorf("opening ALERTS: %w", err)
	}
	hook, err := rig.NewHook()
	if err != nil {
		return err
	}
	defer hook.Close()
	notify, err := startStormNotify(ctx, c, n, hook)
	if err != nil {
		return err
	}
	sayf("scoring yesterday's events of %d accounts", b.storm)
	if err := n.stormYesterday(ctx, b.storm); err != nil {
		return fmt.Errorf("scoring yesterday's events: %w", err)
	}
	sayf("midnight")
	t := &stormTimes{hook: hook, notify: notify, accounts: b.storm}
	return n.scoring(ctx, func(ctx context.Context) error { return t.pass(ctx, b, n) })
}

func startStormNotify(ctx context.Context, c *rig.Cluster, n *night, hook *rig.Hook) (*rig.Process, error) {
	set, err := settings.Open(ctx, n.log.JetStream(), 0)
	if err != nil {
		return nil, fmt.Errorf("opening settings: %w", err)
	}
	if _, err := set.Receivers().Put(ctx, "default", []byte(hookDocument(hook.URL, stormGrouping))); err != nil {
		return nil, fmt.Errorf("putting receivers in force: %w", err)
	}
	notify, err := c.AddNotify(hook.Env())
	if err != nil {
		return nil, fmt.Errorf("laying out notify: %w", err)
	}
	if err := c.Restart(ctx, notify); err != nil {
		return nil, fmt.Errorf("starting notify: %w", err)
	}
	return notify, nil
}

// stormYesterday puts the rules in force, and has every account an owner, and somebody seen.
func (n *night) stormYesterday(ctx context.Context, accounts int) error {
	return n.scoring(ctx, func(ctx context.Context) error {
		layout := n.log.Layout()
		items := make([]eventlog.Item, 0, layout.Partitions)
		for p := range layout.Partitions {
			items = append(items, eventlog.Item{Partition: p, Record: &logv1.Record{
				Workspace: "default",
				Payload:   &logv1.Record_SetRules{SetRules: &logv1.SetRules{Version: 1, Document: []byte(stormRules)}},
			}})
		}
		writer := n.log.NewWriter(eventlog.WriterOptions{})
		_, err := writer.Write(ctx, items)
		if err := errors.Join(err, writer.Close(ctx)); err != nil {
			return fmt.Errorf("putting rules in force: %w", err)
		}
		err = fill(ctx, n.log.Log, filling{to: 2 * accounts, batch: bigBatch, pick: inTurn(accounts), item: stormItem})
		if err != nil {
			return fmt.Errorf("filling the log: %w", err)
		}
		return n.await(ctx, sweeping, uint64(2*accounts)) //nolint:gosec // positive
	})
}

// stormItem is the use of an account, or who its owner is.
func stormItem(layout eventlog.Layout, n, account int) eventlog.Item {
	id := fmt.Sprintf("account-%d", account)
	record := timeless(id, fmt.Sprintf("yesterday-%d", n))
	if n == account {
		owner := fmt.Sprintf("owner-%d", account%stormOwners)
		event := record.GetEvent()
		event.UserId, event.Body = "", &eventv1.Event_Account{Account: &eventv1.Account{Owner: &owner}}
	}
	return eventlog.Item{Partition: layout.Partition("default", id), Record: record}
}

// stormTimes is when what was reached, from midnight on.
type stormTimes struct {
	hook                     *rig.Hook
	notify                   *rig.Process
	accounts                 int
	decided, told, delivered time.Duration
	notifications            int
}

// pass lets the next day begin.
func (t *stormTimes) pass(ctx context.Context, b *bench, n *night) error {
	info, err := n.log.Info(ctx, 0)
	if err != nil {
		return fmt.Errorf("asking for the end of yesterday: %w", err)
	}
	n.log.last.Store(info.Last)
	begun := time.Now()
	today := health.DayOf(begun.UnixMicro())
	load := drip(ctx, n.log.Log) // its messages let midnight pass
	err = n.await(ctx, func(s *fold.State) bool { return health.DayOf(s.LogTime) != today || sweeping(s) }, 0)
	t.decided = time.Since(begun)
	err = errors.Join(err, load.close())
	if err == nil {
		err = until(ctx, patience, func() error { return t.inAlerts(ctx, n) })
		t.told = time.Since(begun)
	}
	if err == nil {
		err = until(ctx, patience, t.taken)
		t.delivered = time.Since(begun)
	}
	if err != nil {
		return err
	}
	return t.print(b)
}

func (t *stormTimes) inAlerts(ctx context.Context, n *night) error {
	stream, err := n.log.JetStream().Stream(ctx, "ALERTS")
	if err != nil {
		return fmt.Errorf("looking at ALERTS: %w", err)
	}
	if got := stream.CachedInfo().State.Msgs; got < uint64(t.accounts) { //nolint:gosec // positive
		return fmt.Errorf("%d of %d alerts", got, t.accounts)
	}
	return nil
}

// taken says whether the webhook was told of all.
func (t *stormTimes) taken() error {
	got, _ := t.hook.Got()
	told := map[string]bool{}
	for _, one := range got {
		var body struct {
			Transitions []struct {
				ID string `json:"transition_id"`
			} `json:"transitions"`
		}
		if err := json.Unmarshal(one.Body, &body); err != nil {
			return fmt.Errorf("reading a webhook: %w", err)
		}
		for _, tr := range body.Transitions {
			told[tr.ID] = true
		}
	}
	t.notifications = len(got)
	if len(told) < t.accounts {
		return fmt.Errorf("%d of %d alerts are delivered", len(told), t.accounts)
	}
	return nil
}

func (t *stormTimes) print(b *bench) error {
	peak, err := peakResident(t.notify)
	if err != nil {
		return err
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	const mega = 1 << 20
	name := fmt.Sprintf("midnight at which %d alerts fire, ", t.accounts)
	return b.report.all(stormPart,
		figure{Name: name + "decided", Value: t.decided.Seconds(), Unit: "s"},
		figure{Name: name + "in ALERTS", Value: t.told.Seconds(), Unit: "s"},
		figure{Name: name + "delivered (10 s of it is the group's wait)", Value: t.delivered.Seconds(), Unit: "s"},
		figure{Name: name + "notifications", Value: float64(t.notifications), Unit: "notifications"},
		figure{Name: "peak memory of notify", Value: float64(peak) / mega, Unit: "MiB"},
		figure{Name: "memory that scoring and the receiver took from the system", Value: float64(heap.Sys) / mega, Unit: "MiB"},
	)
}
