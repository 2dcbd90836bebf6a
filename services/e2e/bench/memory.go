package main

import (
	"context"
	"fmt"
	"time"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

// pipelineMemory measures the whole path in one process: embedded nats-server, memory store.
func pipelineMemory(ctx context.Context, b *bench) error {
	for _, name := range []string{"zipf", "uniform"} {
		if err := pipelineSingle(ctx, b, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func pipelineSingle(ctx context.Context, b *bench, name string) error {
	s, err := rig.NewSingle(b.dir+"/"+name, b.programs)
	if err != nil {
		return fmt.Errorf("laying out: %w", err)
	}
	defer s.Process.Kill()
	if err := s.Start(ctx); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	conn, err := rig.Dial(s.QueryGRPC, s.Keys.Query)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	health := healthv1.NewHealthServiceClient(conn)
	client := segmentClient(s.IngestHTTP, s.Keys.Ingest)
	tokens, err := send(ctx, client, everyAccount(b.accounts))
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	if err := waitVisible(ctx, health, tokens); err != nil {
		return err
	}
	load := bodies(name, b.events, b.pick(name), newRand(uint64(b.report.run)+1)) //nolint:gosec // small
	cpu, err := s.Process.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	begun := time.Now()
	if tokens, err = send(ctx, client, load); err != nil {
		return err
	}
	if err := waitVisible(ctx, health, tokens); err != nil {
		return err
	}
	rate := float64(b.events) / time.Since(begun).Seconds()
	if err := b.report.add(figure{Part: "c", Name: "HTTP to scored in memory, " + name, Value: rate, Unit: "events/s"}); err != nil {
		return err
	}
	if err := b.report.ratio("c", "the same, "+name, rate, 0); err != nil {
		return err
	}
	after, err := s.Process.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	return b.report.add(figure{
		Part: "g", Name: "hale run, memory, " + name, Unit: "us of CPU/event",
		Value: float64((after - cpu).Microseconds()) / float64(b.events),
	})
}

// waitVisible waits until the writes that the tokens name are in the scores.
func waitVisible(ctx context.Context, health healthv1.HealthServiceClient, tokens []string) error {
	for _, token := range tokens {
		if token == "" {
			continue
		}
		_, err := health.ListAccounts(ctx, &healthv1.ListAccountsRequest{PageSize: 1, OrderBy: "account_id", AtLeast: token})
		if err != nil {
			return fmt.Errorf("waiting for a write to be visible: %w", err)
		}
	}
	return nil
}
