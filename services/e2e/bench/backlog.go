package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/eventlog"
)

const backlogGoal = 0.6

// drainBacklog measures how fast scoring reads a log that has grown while it was away.
func drainBacklog(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	c.Scoring.Stop()
	if err := fill(ctx, b, c); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	begun := time.Now()
	if err := c.Scoring.Start(); err != nil {
		return fmt.Errorf("starting scoring: %w", err)
	}
	if err := waitCounted(ctx, c, uint64(b.backlog)); err != nil { //nolint:gosec // positive
		return err
	}
	rate := float64(b.backlog) / time.Since(begun).Seconds()
	drained := figure{Part: "i", Name: "drain a backlog, start of scoring included, zipf", Value: rate, Unit: "events/s"}
	if err := b.report.add(drained); err != nil {
		return err
	}
	return b.report.ratio("i", "the same", rate, backlogGoal)
}

// fill writes the backlog to the log itself, past ingest.
func fill(ctx context.Context, b *bench, c *rig.Cluster) error {
	conn, err := nats.Connect("nats://" + c.NATSAddr)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	log, err := eventlog.Open(ctx, conn, eventlog.Options{})
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	writer := log.NewWriter(eventlog.WriterOptions{})
	defer func() { _ = writer.Close(ctx) }()
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for s := range senders {
		wait.Go(func() {
			r := newRand(uint64(s) + 1) //nolint:gosec // small
			pick := zipf(b.accounts, r)
			for i := s * batchEvents; i < b.backlog; i += senders * batchEvents {
				items := make([]eventlog.Item, 0, batchEvents)
				for j := range min(batchEvents, b.backlog-i) {
					items = append(items, backlogItem(log.Layout(), i+j, pick(r)))
				}
				if _, err := writer.Write(ctx, items); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wait.Wait()
	return first
}

func backlogItem(layout eventlog.Layout, n, account int) eventlog.Item {
	id := fmt.Sprintf("account-%d", account)
	const users, features = 20, 12
	return eventlog.Item{
		Partition: layout.Partition("default", id),
		Record: &logv1.Record{Workspace: "default", Origin: "segment", Payload: &logv1.Record_Event{Event: &eventv1.Event{
			MessageId: fmt.Sprintf("backlog-%d", n), AccountId: id, UserId: fmt.Sprintf("user-%d-%d", account, n%users),
			OccurredAt: timestamppb.Now(),
			Body:       &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: fmt.Sprintf("Feature %d", n%features)}},
		}}},
	}
}
