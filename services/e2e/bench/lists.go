package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/eventlog"
)

const (
	selectiveGoal = 50.0  // milliseconds
	badGoal       = 300.0 // milliseconds
	listCalls     = 300
	listWarm      = 10 * time.Second
	listPage      = 100
)

// listCase is a list that is measured.
type listCase struct {
	name, filter, order string
	goal                float64
}

// listCases are a filter few accounts pass, one that some do, one whose accounts no index finds, and none, in an order
// that nobody uses.
func listCases() []listCase {
	return []listCase{
		{"selective", `owner = "csm-7" AND score < 50`, "arr desc", selectiveGoal},
		{"medium", "band = critical AND arr > 50000 AND renewal_days < 90", "worklist", badGoal},
		{"bad", `traits.region = "r7" AND NOT nps > 50 AND name:"9"`, "coverage,name", badGoal},
		{"none, rare order", "", "industry desc,seats,name", badGoal},
	}
}

// lists reads first pages of a workspace with many accounts, at rest and while accounts change.
func lists(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	s, err := besides(ctx, c)
	if err != nil {
		return err
	}
	defer s.stop()
	sayf("making %d accounts", b.many)
	if err := fill(ctx, s.log, filling{to: b.many, batch: bigBatch, pick: inTurn(b.many), item: profileItem}); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	if err := s.counted(ctx, b.many); err != nil {
		return err
	}
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	health := healthv1.NewHealthServiceClient(conn)
	if err := waitListed(ctx, health, b.many); err != nil {
		return err
	}
	if err := measureLists(ctx, b, health, ""); err != nil {
		return err
	}
	if err := reportListMemory(ctx, b, c); err != nil {
		return err
	}
	halt := changing(ctx, b, s.log)
	err = measureLists(ctx, b, health, ", 1,000 accounts a second change")
	halt()
	return err
}

// waitListed waits until all accounts are in the lists.
func waitListed(ctx context.Context, health healthv1.HealthServiceClient, accounts int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	err := rig.Until(ctx, func() error {
		r, err := health.ListAccounts(ctx, &healthv1.ListAccountsRequest{PageSize: 1})
		if err == nil && int(r.GetTotalSize()) != accounts {
			err = fmt.Errorf("%d accounts are listed", r.GetTotalSize())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for the lists: %w", err)
	}
	return nil
}

// measureLists reads each list for a while, until the orders it needs are sorted, and then measures it.
func measureLists(ctx context.Context, b *bench, health healthv1.HealthServiceClient, when string) error {
	for _, l := range listCases() {
		req := &healthv1.ListAccountsRequest{Filter: l.filter, OrderBy: l.order, PageSize: listPage}
		took := make([]float64, 0, listCalls)
		for begun := time.Now(); len(took) < listCalls; {
			before := time.Now()
			if _, err := health.ListAccounts(ctx, req); err != nil {
				return fmt.Errorf("listing: %w", err)
			}
			if time.Since(begun) > listWarm {
				took = append(took, float64(time.Since(before).Microseconds())/1000) // to milliseconds
			}
		}
		slices.Sort(took)
		name := fmt.Sprintf("first page of %d accounts, %s%s", b.many, l.name, when)
		err := b.report.all("q",
			figure{Name: name + ", p50", Value: took[len(took)/2], Unit: "ms"},
			figure{Name: name + ", p99", Value: took[len(took)*99/100], Unit: "ms", Goal: l.goal, AtMost: true},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// reportListMemory reports what the query process has.
func reportListMemory(ctx context.Context, b *bench, c *rig.Cluster) error {
	now, err := scrape(ctx, c.AdminURL(c.Query))
	if err != nil {
		return err
	}
	resident, err := peakResident(c.Query)
	if err != nil {
		return err
	}
	perMillion := 1e6 / float64(b.many) / mib
	return b.report.all("q",
		figure{Name: "query: Go heap in use, for a million accounts", Value: now[heapInUse] * perMillion, Unit: "MiB"},
		figure{Name: "query: resident, peak, for a million accounts", Value: float64(resident) * perMillion, Unit: "MiB"},
	)
}

// changing lets 1,000 accounts a second use something, until it is halted.
func changing(ctx context.Context, b *bench, log *eventlog.Log) (halt func()) {
	const every, each = 100 * time.Millisecond, 100
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := b.many; ; n += each {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// What fails shows in the figures of what follows; the last one fails because it is halted.
			_ = fill(ctx, log, filling{from: n, to: n + each, batch: each, pick: uniformPicker(b.many)})
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// profileItem says who an account is.
func profileItem(layout eventlog.Layout, n, account int) eventlog.Item {
	const owners, segments, industries, regions, prices, years = 1000, 4, 30, 50, 97, 365
	id := fmt.Sprintf("account-%d", account)
	return eventlog.Item{
		Partition: layout.Partition("default", id),
		Record: &logv1.Record{Workspace: "default", Origin: "segment", Payload: &logv1.Record_Event{Event: &eventv1.Event{
			MessageId: fmt.Sprintf("profile-%d", n), AccountId: id, OccurredAt: timestamppb.Now(),
			Body: &eventv1.Event_Account{Account: &eventv1.Account{
				Name:        new(fmt.Sprintf("Company %d", account)),
				Owner:       new(fmt.Sprintf("csm-%d", account%owners)),
				Segment:     new(fmt.Sprintf("segment %d", account%segments)),
				Industry:    new(fmt.Sprintf("industry %d", account%industries)),
				Currency:    new("USD"),
				ArrMicros:   new(int64(account%prices) * 1e9),
				Seats:       new(int64(1 + account%prices)),
				RenewalDate: new(time.Now().AddDate(0, 0, account%years).Format(time.DateOnly)),
				Traits: []*eventv1.Trait{{
					Name: "region", Value: &eventv1.Trait_Text{Text: fmt.Sprintf("r%d", account%regions)},
				}},
			}},
		}}},
	}
}
