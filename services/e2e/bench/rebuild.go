package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/e2e/rig"
)

// quiet is how long the steady load is held before and after what is measured under it.
const quiet = 2 * time.Second

// rebuildLog fills a log, has it scored, and measures how fast it is folded again while a steady load is scored live.
func rebuildLog(ctx context.Context, b *bench) error {
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
	sayf("writing %d events into the log and scoring them", b.rebuild)
	begun := time.Now()
	if err := fill(ctx, s.log, filling{to: b.rebuild, batch: bigBatch, pick: zipfPicker(b.accounts)}); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	if err := s.counted(ctx, b.rebuild); err != nil {
		return err
	}
	sayf("scored after %s; folding them again", time.Since(begun).Round(time.Second))
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Admin)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	client := adminv1.NewAdminServiceClient(conn)
	return s.underLoad(ctx, func(seen *timeline) error {
		return measureRebuild(ctx, b, s, client, seen)
	})
}

func measureRebuild(ctx context.Context, b *bench, s *site, client adminv1.AdminServiceClient, seen *timeline) error {
	before, err := s.scoring[0].CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	begun := time.Now()
	tasks, err := runTask(ctx, client, func() (string, error) {
		r, err := client.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
		return r.GetTaskId(), err
	})
	took := time.Since(begun)
	if err != nil {
		return err
	}
	after, err := s.scoring[0].CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	events := uint64(0)
	for _, t := range tasks {
		events += t.GetEvents()
	}
	if events < uint64(b.rebuild) { //nolint:gosec // positive
		return fmt.Errorf("%d of %d events were folded again", events, b.rebuild)
	}
	live, flip, err := aroundFlip(ctx, seen, begun)
	if err != nil {
		return err
	}
	return b.report.all("m",
		figure{Name: "rebuild, zipf, start to flip", Value: float64(events) / took.Seconds(), Unit: "events/s"},
		figure{Name: "the same, scoring alone", Value: float64(events) / (after - before).Seconds(), Unit: "events/s/core"},
		figure{Name: "the same, how long", Value: took.Seconds(), Unit: "s"},
		figure{Name: "longest time without a live commit before the flip", Value: milliseconds(live), Unit: "ms"},
		figure{Name: "longest time without a live commit at the flip", Value: milliseconds(flip), Unit: "ms"},
	)
}

// aroundFlip returns how long a partition stood still at most while a draft was made beside it, and when the draft took
// its place. It waits until every partition goes on in its new generation.
func aroundFlip(ctx context.Context, seen *timeline, begun time.Time) (live, flip time.Duration, err error) {
	for p := range seen.marks {
		var marks []mark
		var at int // the first step of the new generation
		err := until(ctx, time.Minute, func() error {
			marks = seen.of(p, begun)
			at = slices.IndexFunc(marks, func(m mark) bool { return m.generation > marks[0].generation })
			if at < 0 || marks[len(marks)-1].cursor <= marks[at].cursor || marks[len(marks)-1].cursor <= marks[at-1].cursor {
				return fmt.Errorf("partition %d has not gone on in a new generation", p)
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		for i := 1; i < at; i++ {
			live = max(live, marks[i].at.Sub(marks[i-1].at))
		}
		goesOn := slices.IndexFunc(marks[at:], func(m mark) bool { return m.cursor > marks[at].cursor })
		flip = max(flip, marks[at+goesOn].at.Sub(marks[at-1].at))
	}
	return live, flip, nil
}

// underLoad calls f while every partition gets an event at each beat and a timeline notes the commits.
func (s *site) underLoad(ctx context.Context, f func(seen *timeline) error) error {
	seen, err := follow(ctx, s.store(), s.partitions())
	if err != nil {
		return fmt.Errorf("watching the store: %w", err)
	}
	load := drip(ctx, s.log)
	time.Sleep(quiet)
	err = f(seen)
	if err == nil {
		time.Sleep(quiet)
	}
	return errors.Join(err, load.close(), seen.close())
}
