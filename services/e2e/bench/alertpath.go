package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/e2e/rig"
)

const (
	alertPart  = "t"
	alertRules = `
kind: rules
rules:
  - {name: large, summary: The account pays a lot, severity: critical, when: profile.arr >= 100.0}
`
)

// alertPath measures how long it takes from an event being sent until its alert is visible on a watch, and until a webhook
// is told; beside it, a message that is published to JetStream, consumed and posted by nothing else.
func alertPath(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	hook, err := rig.NewHook()
	if err != nil {
		return err
	}
	defer hook.Close()
	p := &path{cluster: c, arrived: make(chan time.Time, 1), seen: make(chan time.Time, 1)}
	hook.Meet(func(before bool) {
		if before {
			p.arrived <- time.Now()
		}
	})
	defer p.stop()
	if err := p.start(ctx, hook); err != nil {
		return err
	}
	var watched, told []time.Duration
	for n := range b.alerts + warm {
		toWatch, toHook, err := p.once(ctx, n)
		if err != nil {
			return fmt.Errorf("alert %d: %w", n, err)
		}
		if n >= warm {
			watched, told = append(watched, toWatch), append(told, toHook)
		}
	}
	if err := b.report.spread(alertPart, "event to alert on a watch", watched, 0); err != nil {
		return err
	}
	if err := b.report.spread(alertPart, "event to webhook", told, 0); err != nil {
		return err
	}
	bare, err := barePath(ctx, c, b.alerts)
	if err != nil {
		return fmt.Errorf("with nothing between: %w", err)
	}
	return b.report.spread(alertPart, "bare publish, consume and post", bare, 0)
}

// warm is how many alerts are not measured.
const warm = 10

// path is what an alert passes through.
type path struct {
	cluster       *rig.Cluster
	client        *rig.Client
	arrived, seen chan time.Time
	cancel        context.CancelFunc
	stopping      []func()
	watching      sync.WaitGroup
}

// start puts a rule and a receiver in force, and watches.
func (p *path) start(ctx context.Context, hook *rig.Hook) error {
	c := p.cluster
	p.client = &rig.Client{
		URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: time.Minute},
	}
	notify, err := c.AddNotify(hook.Env())
	if err != nil {
		return fmt.Errorf("laying out notify: %w", err)
	}
	if err := c.Restart(ctx, notify); err != nil {
		return fmt.Errorf("starting notify: %w", err)
	}
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Admin)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	p.stopping = append(p.stopping, func() { _ = conn.Close() })
	admin := adminv1.NewAdminServiceClient(conn)
	if _, err := admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: alertRules}); err != nil {
		return fmt.Errorf("putting rules in force: %w", err)
	}
	document := hookDocument(hook.URL, "group_by: [account], critical_wait: 0s, group_wait: 0s, group_interval: 0s")
	if _, err := admin.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: document}); err != nil {
		return fmt.Errorf("putting receivers in force: %w", err)
	}
	ctx, p.cancel = context.WithCancel(ctx)
	stream, err := alertv1.NewAlertServiceClient(conn).WatchAlerts(ctx, &alertv1.WatchAlertsRequest{})
	if err != nil {
		return fmt.Errorf("watching alerts: %w", err)
	}
	p.watching.Go(func() { p.watch(stream) })
	return nil
}

func hookDocument(url, grouping string) string {
	return fmt.Sprintf(`
kind: receivers
receivers:
  - {name: hook, kind: webhook, rate: 6000, settings: {url: %q, secrets: [%q]}}
default_route: {receivers: [hook], %s}
`, url, rig.HookReference, grouping)
}

func (p *path) watch(stream alertv1.AlertService_WatchAlertsClient) {
	for {
		part, err := stream.Recv()
		if err != nil {
			return // it was told to end; else the next alert is waited for in vain
		}
		if len(part.GetTransitions()) > 0 {
			p.seen <- time.Now()
		}
	}
}

func (p *path) stop() {
	if p.cancel != nil {
		p.cancel()
	}
	p.watching.Wait()
	for _, f := range p.stopping {
		f()
	}
}

// once lets one alert fire.
func (p *path) once(ctx context.Context, n int) (watched, told time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	body := fmt.Sprintf(`[{"id":"large-%d","type":"account","account":"account-%d","arr":500}]`, n, n)
	begun := time.Now()
	if _, err := p.client.Send(ctx, []byte(body), 1); err != nil {
		return 0, 0, err
	}
	for range 2 {
		select {
		case at := <-p.seen:
			watched = at.Sub(begun)
		case at := <-p.arrived:
			told = at.Sub(begun)
		case <-ctx.Done():
			return 0, 0, fmt.Errorf("waiting for it: %w", ctx.Err())
		}
	}
	return watched, told, nil
}
