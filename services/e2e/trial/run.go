package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
)

// trial is one run.
type trial struct {
	o        Options
	fleet    *rig.Fleet
	store    store.Store
	traffic  *traffic
	progress progress
	view     *view
	done     []fault.Done
	report   Report
}

// Run runs a fleet under load, lets faults happen, mends everything and compares. The error says why that could not be
// done; what was found wrong is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.complete()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, o.Time)
	defer cancel()
	f, err := newFleet(&o)
	if err != nil {
		return nil, err
	}
	defer f.Stop()
	if err := f.Start(ctx); err != nil {
		return nil, err
	}
	s, err := redis.Open(ctx, redis.Options{URL: f.Redis.URL()})
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	defer func() { _ = s.Close() }()
	t := &trial{o: o, fleet: f, store: s, traffic: newTraffic(f, o), view: newView(s, f.Partitions)}
	t.report = Report{Seeds: []uint64{o.Seed}, Classes: map[fault.Class]ClassReport{}}
	t.printf("seed %d: the fleet is ready after %s", o.Seed, time.Since(begun).Round(time.Millisecond))
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	t.report.Seconds = time.Since(begun).Seconds()
	return &t.report, nil
}

// newFleet lays the fleet out; where file systems cannot be mounted, without the disks that can be filled.
func newFleet(o *Options) (*rig.Fleet, error) {
	f, err := rig.NewFleet(o.Dir, o.Fleet)
	if errors.Is(err, rig.ErrNoDisk) {
		o.Fleet.DiskBytes = 0
		return rig.NewFleet(o.Dir, o.Fleet)
	}
	return f, err
}

func (t *trial) printf(format string, args ...any) { fmt.Fprintf(t.o.Out, format+"\n", args...) }

// run lets the faults happen under load and compares.
func (t *trial) run(ctx context.Context) error {
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	var (
		all      sync.WaitGroup
		watchErr error
	)
	all.Go(func() { t.progress.follow(watching, t.store, t.fleet.Partitions) })
	all.Go(func() { watchErr = t.view.watch(watching) })
	sending, stopSending := context.WithCancel(ctx)
	defer stopSending()
	sent := make(chan error, 1)
	go func() { sent <- t.traffic.run(ctx, sending, t.o.Rate) }()
	err := t.faults(ctx)
	stopSending()
	if sendErr := <-sent; sendErr != nil {
		t.problem(sendErr)
	}
	if err == nil {
		err = t.verify(ctx)
	}
	stopWatching()
	all.Wait()
	if watchErr != nil {
		t.problem(watchErr)
	}
	t.classes()
	return err
}

// faults lets the planned faults happen until none is left or time is short.
func (t *trial) faults(ctx context.Context) error {
	steps, err := fault.Plan(fault.Options{
		Seed: t.o.Seed, Faults: t.o.Faults, Classes: t.o.Classes, Longest: t.o.Longest,
		NoDisks: t.o.Fleet.DiskBytes == 0,
	}, t.fleet)
	if err != nil {
		return err
	}
	end := time.Now().Add(t.o.Time * 4 / 5) //nolint:mnd // a fifth is for what comes after
	if deadline, ok := ctx.Deadline(); ok {
		end = deadline.Add(-t.o.Time / 5) //nolint:mnd // a fifth is for what comes after
	}
	during, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	begun := time.Now()
	for _, s := range steps {
		if during.Err() != nil {
			break
		}
		done, err := s.Run(during, t.fleet)
		t.done = append(t.done, done...)
		t.printf("%5.1f s  %s: whole after %.1f s, %d events acknowledged", time.Since(begun).Seconds(), &s,
			wholeAfter(done).Seconds(), t.traffic.acked.Load())
		if err != nil {
			t.problem(err)
		}
		select {
		case <-during.Done():
		case <-time.After(s.Rest):
		}
	}
	if err := t.fleet.Network.Heal(); err != nil {
		return err
	}
	if err := fault.Settle(ctx, t.fleet); err != nil {
		return fmt.Errorf("after all faults: %w", err)
	}
	return nil
}

func wholeAfter(done []fault.Done) time.Duration {
	var most time.Duration
	for _, d := range done {
		most = max(most, d.Whole.Sub(d.Healed))
	}
	return most
}

func (t *trial) problem(err error) {
	text := err.Error()
	t.printf("PROBLEM: %s", text)
	first, _, _ := strings.Cut(text, "\n")
	t.report.Problems = append(t.report.Problems, first)
}

// totals adds up what all partitions have counted.
func (t *trial) totals(ctx context.Context) (rig.Totals, error) {
	var sum rig.Totals
	for p := range t.fleet.Partitions {
		head, _, err := t.store.Read(ctx, p)
		if err != nil {
			return sum, fmt.Errorf("reading the head of partition %d: %w", p, err)
		}
		state, err := fold.DecodeState(head.State)
		if err != nil {
			return sum, fmt.Errorf("reading the state of partition %d: %w", p, err)
		}
		sum.Counted += state.Counted
		sum.Duplicates += state.Duplicates
		sum.Rejected += state.Rejected
		sum.Accounts += uint64(state.Accounts)
	}
	return sum, nil
}

// classes fills in what became of each class of faults.
func (t *trial) classes() {
	for _, d := range t.done {
		t.report.Classes[d.Class] = t.report.Classes[d.Class].join(ClassReport{
			Faults: 1, StallSeconds: longest(t.progress.gaps, &d).Seconds(),
			StallAllSeconds: longest(t.progress.all, &d).Seconds(), WholeSeconds: d.Whole.Sub(d.Healed).Seconds(),
		})
	}
	for _, d := range t.progress.failovers(t.done) {
		t.report.FailoverSeconds = append(t.report.FailoverSeconds, d.Seconds())
	}
}
