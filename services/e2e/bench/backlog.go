package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"
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
	if err := fillCluster(ctx, b, c); err != nil {
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

// fillCluster writes the backlog to the log itself, past ingest.
func fillCluster(ctx context.Context, b *bench, c *rig.Cluster) error {
	conn, err := nats.Connect("nats://" + c.NATSAddr)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	log, err := eventlog.Open(ctx, conn, eventlog.Options{})
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	return fill(ctx, log, filling{to: b.backlog, batch: batchEvents, pick: zipfPicker(b.accounts)})
}

// filling says what is written straight into a log: events numbered from one number up to another, so many at once.
type filling struct {
	from, to, batch int
	// pick makes what chooses the account of an event by its number.
	pick func(r *rand.Rand) func(n int) int
	// item makes an event; nil: backlogItem.
	item func(layout eventlog.Layout, n, account int) eventlog.Item
}

// bigBatch is how many events a filling writes at once that is not itself measured.
const bigBatch = 2000

func zipfPicker(accounts int) func(r *rand.Rand) func(n int) int {
	return func(r *rand.Rand) func(n int) int {
		pick := zipf(accounts, r)
		return func(int) int { return pick(r) }
	}
}

func uniformPicker(accounts int) func(r *rand.Rand) func(n int) int {
	return func(r *rand.Rand) func(n int) int { return func(int) int { return r.IntN(accounts) } }
}

// inTurn picks one account after the other.
func inTurn(accounts int) func(*rand.Rand) func(n int) int {
	return func(*rand.Rand) func(n int) int { return func(n int) int { return n % accounts } }
}

func fill(ctx context.Context, log *eventlog.Log, f filling) (err error) {
	if f.item == nil {
		f.item = backlogItem
	}
	writer := log.NewWriter(eventlog.WriterOptions{AckTimeout: time.Minute})
	defer func() { err = errors.Join(err, writer.Close(ctx)) }()
	group, groupCtx := errgroup.WithContext(ctx)
	for s := range senders {
		group.Go(func() error {
			pick := f.pick(newRand(uint64(s) + 1)) //nolint:gosec // small
			for i := f.from + s*f.batch; i < f.to; i += senders * f.batch {
				items := make([]eventlog.Item, 0, f.batch)
				for j := range min(f.batch, f.to-i) {
					items = append(items, f.item(log.Layout(), i+j, pick(i+j)))
				}
				if _, err := writer.Write(groupCtx, items); err != nil {
					return fmt.Errorf("writing to the log: %w", err)
				}
			}
			return nil
		})
	}
	return group.Wait() //nolint:wrapcheck // wrapped above
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
