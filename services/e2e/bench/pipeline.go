package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/e2e/rig"
)

// pipelineRedis measures the whole path, HTTP batches to scores in redis-server, each part a process of its own,
// nats-server syncing before every acknowledgement.
func pipelineRedis(ctx context.Context, b *bench) error {
	for _, s := range []struct {
		name string
		goal float64
	}{{"zipf", 0.5}, {"uniform", 0.3}} {
		if err := pipelineSpread(ctx, b, s.name, s.goal); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (b *bench) pick(name string) spread {
	if name == "zipf" {
		return zipf(b.accounts, newRand(1))
	}
	return uniform(b.accounts)
}

func pipelineSpread(ctx context.Context, b *bench, name string, goal float64) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	client := segmentClient(c.IngestHTTP, c.Keys.Ingest)
	before, err := usedMemory(ctx, c.RedisAddr)
	if err != nil {
		return err
	}
	counted := 0
	if _, err := send(ctx, client, everyAccount(b.accounts)); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	counted += b.accounts
	if err := waitCounted(ctx, c, uint64(counted)); err != nil { //nolint:gosec // positive
		return err
	}
	load := bodies(name, b.events, b.pick(name), newRand(uint64(b.report.run)+1)) //nolint:gosec // small
	cpu, err := processors(c)
	if err != nil {
		return err
	}
	begun := time.Now()
	if _, err := send(ctx, client, load); err != nil {
		return err
	}
	counted += b.events
	if err := waitCounted(ctx, c, uint64(counted)); err != nil { //nolint:gosec // positive
		return err
	}
	rate := float64(b.events) / time.Since(begun).Seconds()
	if err := b.report.add(figure{Part: "b", Name: "HTTP to scored in Redis, " + name, Value: rate, Unit: "events/s"}); err != nil {
		return err
	}
	if err := b.report.ratio("b", "the same, "+name, rate, goal); err != nil {
		return err
	}
	if err := reportCPU(b, c, cpu, name); err != nil {
		return err
	}
	after, err := usedMemory(ctx, c.RedisAddr)
	if err != nil {
		return err
	}
	return b.report.add(figure{
		Part: "h", Name: "memory of redis-server, " + name, Unit: "bytes/account",
		Value: float64(after-before) / float64(b.accounts),
	})
}

func startCluster(ctx context.Context, b *bench) (*rig.Cluster, func(), error) {
	return startClusterOf(ctx, b, rig.Options{SyncAlways: true})
}

func startClusterOf(ctx context.Context, b *bench, o rig.Options) (*rig.Cluster, func(), error) {
	c, err := rig.NewCluster(b.dir, b.programs, o)
	if err != nil {
		return nil, nil, fmt.Errorf("laying out a cluster: %w", err)
	}
	if err := c.Start(ctx); err != nil {
		c.Stop()
		return nil, nil, fmt.Errorf("starting a cluster: %w", err)
	}
	return c, func() {
		c.Stop()
		c.Clear()
	}, nil
}

// waitCounted waits until n events are in the scores that redis-server holds.
func waitCounted(ctx context.Context, c *rig.Cluster, n uint64) error {
	heads, err := c.Heads(ctx)
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer heads.Close()
	return awaitCounted(ctx, heads, n)
}

// awaitCounted waits until n events are counted.
func awaitCounted(ctx context.Context, heads *rig.Heads, n uint64) error {
	return until(ctx, patience, func() error {
		t, err := heads.Totals(ctx)
		if err != nil {
			return err
		}
		if t.Counted < n {
			return fmt.Errorf("%d of %d events counted", t.Counted, n)
		}
		return nil
	})
}

// patience bounds how long anything is waited for.
const patience = 15 * time.Minute

// until calls check until it returns nil, for so long at most.
func until(ctx context.Context, within time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return rig.Until(ctx, check)
}

type cpuTimes map[*rig.Process]time.Duration

func processors(c *rig.Cluster) (cpuTimes, error) {
	times := cpuTimes{}
	for _, p := range []*rig.Process{c.Ingest, c.Scoring, c.NATS, c.Redis} {
		t, err := p.CPU()
		if err != nil {
			return nil, err
		}
		times[p] = t
	}
	return times, nil
}

func reportCPU(b *bench, c *rig.Cluster, before cpuTimes, name string) error {
	after, err := processors(c)
	if err != nil {
		return err
	}
	for _, p := range []*rig.Process{c.Ingest, c.NATS, c.Scoring, c.Redis} {
		spent := after[p] - before[p]
		err := b.report.add(figure{
			Part: "g", Name: p.Name + ", " + name, Unit: "us of CPU/event",
			Value: float64(spent.Microseconds()) / float64(b.events),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func usedMemory(ctx context.Context, addr string) (int64, error) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { _ = client.Close() }()
	info := client.InfoMap(ctx, "memory")
	if err := info.Err(); err != nil {
		return 0, fmt.Errorf("asking redis-server for its memory: %w", err)
	}
	var n int64
	if _, err := fmt.Sscan(info.Item("Memory", "used_memory"), &n); err != nil {
		return 0, fmt.Errorf("reading redis-server's memory: %w", err)
	}
	return n, nil
}
