package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"hale.dev/services/e2e/rig"
)

const (
	cacheMiB = 256
	mib      = 1 << 20
)

// boundedMemory scores events spread evenly over more accounts than the cache can hold, and looks at the memory of the
// scoring process.
func boundedMemory(ctx context.Context, b *bench) error {
	limit := []string{"--scoring-cache-mib", strconv.Itoa(cacheMiB)}
	c, stop, err := startClusterOf(ctx, b, rig.Options{SyncAlways: true, ScoringArgs: limit})
	if err != nil {
		return err
	}
	defer stop()
	s, err := besides(ctx, c)
	if err != nil {
		return err
	}
	defer s.stop()
	peak := watchPeak(ctx, c.AdminURL(c.Scoring))
	sayf("making %d accounts, then %d events over all of them", b.many, eventsEach*b.many)
	if err := fill(ctx, s.log, filling{to: b.many, batch: bigBatch, pick: inTurn(b.many)}); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	if err := s.counted(ctx, b.many); err != nil {
		return err
	}
	before, err := scrape(ctx, c.AdminURL(c.Scoring))
	if err != nil {
		return err
	}
	total := (1 + eventsEach) * b.many
	if err := fill(ctx, s.log, filling{from: b.many, to: total, batch: bigBatch, pick: uniformPicker(b.many)}); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	if err := s.counted(ctx, total); err != nil {
		return err
	}
	after, err := scrape(ctx, c.AdminURL(c.Scoring))
	if err != nil {
		return err
	}
	highest, err := peak()
	if err != nil {
		return err
	}
	return reportMemory(b, c.Scoring, before, after, highest)
}

func reportMemory(b *bench, p *rig.Process, before, after, highest samples) error {
	resident, err := peakResident(p)
	if err != nil {
		return err
	}
	const hit, miss = `hale_scoring_cache_reads_total{result="hit"}`, `hale_scoring_cache_reads_total{result="miss"}`
	hits, misses := after[hit]-before[hit], after[miss]-before[miss]
	name := fmt.Sprintf("scoring, %d accounts, cache of %d MiB", b.many, cacheMiB)
	figures := []figure{
		{Name: name + ": resident, peak", Value: float64(resident) / mib, Unit: "MiB"},
		{Name: name + ": Go heap in use, peak seen", Value: highest[heapInUse] / mib, Unit: "MiB"},
		{Name: name + ": cache hits, uniform", Value: hits / max(1, hits+misses), Unit: "ratio"},
		{
			Name: name + ": accounts in the cache, peak seen", Unit: "MiB", Goal: cacheMiB, AtMost: true,
			Value: highest[cacheBytes] / mib,
		},
	}
	return b.report.all("p", figures...)
}

const (
	heapInUse  = "go_memstats_heap_inuse_bytes"
	cacheBytes = "hale_scoring_cache_bytes"
)

// samples are metrics by name and labels.
type samples map[string]float64

// scrape reads the metrics of a service.
func scrape(ctx context.Context, admin string) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for metrics: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := samples{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				out[name] = n
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return out, nil
}

// watchPeak reads the metrics of a service again and again; what it returns ends that, and gives the highest value of
// each.
func watchPeak(ctx context.Context, admin string) func() (samples, error) {
	const every = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	highest, first := samples{}, error(nil)
	wait.Go(func() {
		for ctx.Err() == nil {
			now, err := scrape(ctx, admin)
			if err != nil && ctx.Err() == nil {
				first = err
				return
			}
			for name, value := range now {
				highest[name] = max(highest[name], value)
			}
			time.Sleep(every)
		}
	})
	return func() (samples, error) {
		cancel()
		wait.Wait()
		return highest, first
	}
}

// peakResident is the most memory that a running process has had, in bytes.
func peakResident(p *rig.Process) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
	if err != nil {
		return 0, fmt.Errorf("reading the memory of %s: %w", p.Name, err)
	}
	const field, unit = "VmHWM:", 1024
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the memory of %s: %w", p.Name, err)
			}
			return kib * unit, nil
		}
	}
	return 0, fmt.Errorf("reading the memory of %s: it has no %s", p.Name, field)
}
