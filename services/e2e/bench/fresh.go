package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

const (
	freshRate    = 20_000 // events a second
	freshSeconds = 12
	// freshWarm is how long the rate is held before samples are taken.
	freshWarm   = 2 * time.Second
	sampleEvery = 4 // batches
	freshGoalMS = 100
)

// freshness measures, at a steady rate, the time from sending a batch to an answer of GetHealth that has it in the
// score.
func freshness(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	client := segmentClient(c.IngestHTTP, c.Keys.Ingest)
	if _, err := send(ctx, client, everyAccount(b.accounts)); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	if err := waitCounted(ctx, c, uint64(b.accounts)); err != nil { //nolint:gosec // positive
		return err
	}
	load := bodies("fresh", freshRate*freshSeconds, b.pick("zipf"), newRand(7)) // a seed
	acked, visible, err := paced(ctx, client, healthv1.NewHealthServiceClient(conn), load)
	if err != nil {
		return err
	}
	for _, q := range []struct {
		what  string
		times []time.Duration
		name  string
		at    float64
		goal  float64
	}{
		{"acknowledged", acked, "p50", 0.5, 0},
		{"acknowledged", acked, "p99", 0.99, 0},
		{"visible", visible, "p50", 0.5, 0},
		{"visible", visible, "p99", 0.99, freshGoalMS},
	} {
		slices.Sort(q.times)
		v := q.times[int(float64(len(q.times)-1)*q.at)]
		err := b.report.add(figure{
			Part: "d", Name: fmt.Sprintf("sent to %s at %d events/s, %s", q.what, freshRate, q.name),
			Value: float64(v.Microseconds()) / 1000, Unit: "ms", Goal: q.goal, AtMost: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// paced sends the load at freshRate and looks for every few batches how long they take to be acknowledged and visible.
func paced(
	ctx context.Context, client *rig.Client, health healthv1.HealthServiceClient, load []body,
) (acked, visible []time.Duration, first error) {
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
	)
	begun := time.Now()
	interval := time.Second * batchEvents / freshRate
	for i, body := range load {
		if pause := time.Until(begun.Add(time.Duration(i) * interval)); pause > 0 {
			time.Sleep(pause)
		}
		wait.Go(func() {
			sent := time.Now()
			answer, err := client.Send(ctx, body, batchEvents)
			answered := time.Since(sent)
			if err == nil && i%sampleEvery == 0 {
				_, err = health.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: lastAccount(body), AtLeast: answer.Token})
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
			if i%sampleEvery == 0 && sent.Sub(begun) > freshWarm {
				acked = append(acked, answered)
				visible = append(visible, time.Since(sent))
			}
		})
	}
	wait.Wait()
	return acked, visible, first
}

// lastAccount finds the account of a body's last event.
func lastAccount(b body) string {
	const before = `"groupId":"`
	rest := b[bytes.LastIndex(b, []byte(before))+len(before):]
	return string(rest[:bytes.IndexByte(rest, '"')])
}
