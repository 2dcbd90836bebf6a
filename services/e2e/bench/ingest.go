package main

import (
	"context"
	"fmt"
	"time"
)

// ingestAlone measures HTTP ingest with durable acknowledgement and no scoring: events for each second of processor
// time that ingest and nats-server spend.
func ingestAlone(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	c.Scoring.Stop()
	c.Query.Stop()
	client := segmentClient(c.IngestHTTP, c.Keys.Ingest)
	load := bodies("ingest", b.events, b.pick("zipf"), newRand(3)) // a seed
	ingest, err := c.Ingest.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	nats, err := c.NATS.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	begun := time.Now()
	if _, err := send(ctx, client, load); err != nil {
		return err
	}
	took := time.Since(begun)
	ingestAfter, err := c.Ingest.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	natsAfter, err := c.NATS.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	for _, f := range []figure{
		{Name: "HTTP ingest, durable, load generator on the same cores", Value: float64(b.events) / took.Seconds(), Unit: "events/s"},
		{Name: "the same, ingest alone", Value: float64(b.events) / (ingestAfter - ingest).Seconds(), Unit: "events/s/core"},
		{
			Name:  "the same, ingest and nats-server",
			Value: float64(b.events) / (ingestAfter - ingest + natsAfter - nats).Seconds(), Unit: "events/s/core",
		},
	} {
		f.Part = "j"
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}
