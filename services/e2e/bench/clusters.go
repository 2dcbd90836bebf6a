package main

import (
	"context"
	"fmt"
	"time"
)

// pipelineClusters measures the whole path with three scoring processes on a Redis Cluster and a cluster of
// nats-servers (R3, syncing before every acknowledgement), beside the same on single servers.
func pipelineClusters(ctx context.Context, b *bench) error {
	for _, name := range []string{"zipf", "uniform"} {
		if err := clusterSpread(ctx, b, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func clusterSpread(ctx context.Context, b *bench, name string) error {
	base := "HTTP to scored in Redis, " + name
	if b.report.last("b", base) == 0 {
		sayf("single servers, %s", name)
		if err := pipelineSpread(ctx, b, name, 0); err != nil {
			return err
		}
	}
	sayf("clusters, %s", name)
	rate, err := clusterRate(ctx, b, name)
	if err != nil {
		return err
	}
	return b.report.all("k",
		figure{Name: "HTTP to scored on clusters, 3 scoring, " + name, Value: rate, Unit: "events/s"},
		figure{Name: "the same over single servers, " + name, Value: rate / b.report.last("b", base), Unit: "ratio"},
	)
}

// clusterRate sends the load, reports the processor time of each kind of process, and returns events a second.
func clusterRate(ctx context.Context, b *bench, name string) (float64, error) {
	s, err := clusterSite(ctx, b)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	client := segmentClient(s.ingest, s.keys.Ingest)
	if _, err := send(ctx, client, everyAccount(b.accounts)); err != nil {
		return 0, fmt.Errorf("warming up: %w", err)
	}
	if err := s.counted(ctx, b.accounts); err != nil {
		return 0, err
	}
	load := bodies(name, b.events, b.pick(name), newRand(uint64(b.report.run)+1)) //nolint:gosec // small
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if _, err := send(ctx, client, load); err != nil {
		return 0, err
	}
	if err := s.counted(ctx, b.accounts+b.events); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	after, err := s.cpu()
	if err != nil {
		return 0, err
	}
	for _, k := range s.kinds {
		spent := after[k.name] - before[k.name]
		err := b.report.all("k", figure{
			Name:  fmt.Sprintf("%d %s, %s", len(k.processes), k.name, name),
			Value: float64(spent.Microseconds()) / float64(b.events), Unit: "us of CPU/event",
		})
		if err != nil {
			return 0, err
		}
	}
	return float64(b.events) / took.Seconds(), nil
}
