package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/e2e/rig"
)

// eventsEach is how many events each account of a big portfolio gets.
const eventsEach = 2

// snapshots measures writing and restoring snapshots of many accounts, in a bucket beside the log and in a folder, while
// a steady load is scored.
func snapshots(ctx context.Context, b *bench) error {
	places := []struct{ name, place string }{
		{"object store", "jetstream"},
		{"folder", filepath.Join(b.dir, "snapshots")},
	}
	c, stop, err := startClusterOf(ctx, b, rig.Options{SyncAlways: true, Args: []string{"--snapshots", places[0].place}})
	if err != nil {
		return err
	}
	defer stop()
	s, err := besides(ctx, c)
	if err != nil {
		return err
	}
	defer s.stop()
	sayf("scoring %d events of %d accounts", eventsEach*b.many, b.many)
	if err := fill(ctx, s.log, filling{to: eventsEach * b.many, batch: bigBatch, pick: inTurn(b.many)}); err != nil {
		return fmt.Errorf("filling the log: %w", err)
	}
	if err := s.counted(ctx, eventsEach*b.many); err != nil {
		return err
	}
	current := places[0].place
	for _, at := range places {
		if at.place != current {
			if err := moveSnapshots(ctx, c, current, at.place); err != nil {
				return err
			}
			current = at.place
		}
		sayf("snapshots in: %s", at.name)
		if err := measureSnapshots(ctx, b, s, c.QueryGRPC, at.name); err != nil {
			return fmt.Errorf("%s: %w", at.name, err)
		}
	}
	return nil
}

// moveSnapshots starts scoring and query again with another place of snapshots.
func moveSnapshots(ctx context.Context, c *rig.Cluster, from, to string) error {
	for _, p := range []*rig.Process{c.Scoring, c.Query} {
		p.Stop()
		p.Args[slices.Index(p.Args, from)] = to
		if err := c.Restart(ctx, p); err != nil {
			return fmt.Errorf("starting %s again: %w", p.Name, err)
		}
	}
	return nil
}

func measureSnapshots(ctx context.Context, b *bench, s *site, addr, place string) error {
	conn, err := rig.Dial(addr, s.keys.Admin)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	client := adminv1.NewAdminServiceClient(conn)
	return s.underLoad(ctx, func(seen *timeline) error {
		for _, what := range []struct {
			name string
			ask  func() (string, error)
		}{
			{"snapshot, " + place, func() (string, error) {
				r, err := client.CreateSnapshot(ctx, &adminv1.CreateSnapshotRequest{})
				return r.GetTaskId(), err
			}},
			{"restore, " + place, func() (string, error) {
				r, err := client.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{})
				return r.GetTaskId(), err
			}},
		} {
			begun := time.Now()
			tasks, err := runTask(ctx, client, what.ask)
			took := time.Since(begun)
			if err != nil {
				return err
			}
			if err := s.goesOn(ctx, seen, b.many); err != nil {
				return err
			}
			if err := reportSnapshot(b, what.name, tasks, took, slices.Max(seen.gaps(begun))); err != nil {
				return err
			}
		}
		return nil
	})
}

// goesOn waits until every partition has been committed to again, and checks that all accounts are there.
func (s *site) goesOn(ctx context.Context, seen *timeline, accounts int) error {
	begun := time.Now()
	err := until(ctx, time.Minute, func() error {
		for p := range s.partitions() {
			if marks := seen.of(p, begun); len(marks) == 0 || marks[len(marks)-1].at.Before(begun) {
				return fmt.Errorf("partition %d stands still", p)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	totals, err := s.heads.Totals(ctx)
	if err != nil {
		return fmt.Errorf("counting accounts: %w", err)
	}
	if totals.Accounts < uint64(accounts) { //nolint:gosec // positive
		return fmt.Errorf("%d of %d accounts are there", totals.Accounts, accounts)
	}
	return nil
}

func reportSnapshot(b *bench, name string, tasks map[int32]*adminv1.Task, took, stood time.Duration) error {
	bytes := int64(0)
	for _, t := range tasks {
		for _, r := range t.GetResults() {
			bytes += r.GetBytes()
		}
	}
	const mb = 1e6
	return b.report.all("n",
		figure{Name: fmt.Sprintf("%s, %d accounts", name, b.many), Value: took.Seconds(), Unit: "s"},
		figure{Name: name + ", size", Value: float64(bytes) / mb, Unit: "MB"},
		figure{Name: name + ", speed", Value: float64(b.many) / took.Seconds(), Unit: "accounts/s"},
		figure{Name: name + ", longest time without a commit", Value: milliseconds(stood), Unit: "ms"},
	)
}
