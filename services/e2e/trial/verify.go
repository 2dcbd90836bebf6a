package trial

import (
	"context"
	"fmt"
	"time"

	"hale.dev/services/e2e/rig"
)

// verify holds what is left against what must be.
func (t *trial) verify(ctx context.Context) error {
	begun := time.Now()
	log, err := readLog(ctx, t.fleet)
	if err != nil {
		return err
	}
	l := t.traffic.ledger(log)
	r := &t.report
	r.Acknowledged, r.LostInLog = l.acknowledged, len(l.missing)
	r.Again = t.traffic.again.Load()
	r.Retries, r.Unknown = t.traffic.outcomes()
	totals, err := settle(ctx, t.totals, l.count)
	if err != nil {
		return fmt.Errorf("waiting until all is counted: %w", err)
	}
	counted := int(totals.Counted) //nolint:gosec // a few million
	r.Lost = max(0, l.count-counted) + len(l.missing)
	r.Twice = max(0, counted-l.count)
	r.Duplicates, r.Rejected = totals.Duplicates, totals.Rejected
	for _, s := range t.fleet.Services() {
		if err := s.WaitReady(ctx); err != nil {
			return err
		}
	}
	for _, s := range t.fleet.Query {
		if err := t.compare(ctx, s, l); err != nil {
			return err
		}
	}
	if err := t.compareView(ctx); err != nil {
		return err
	}
	t.printf("compared in %s", time.Since(begun).Round(time.Millisecond))
	return nil
}

// shown is how many differences of a kind are printed.
const shown = 10

func (t *trial) compare(ctx context.Context, s *rig.Service, l *ledger) error {
	wrong, err := compare(ctx, s, t.fleet.Keys.Query, l)
	if err != nil {
		return err
	}
	t.report.Compared += len(l.events)
	t.report.Different += len(wrong)
	for _, w := range wrong[:min(shown, len(wrong))] {
		t.printf("DIFFERENT: %s", w)
	}
	return nil
}

func (t *trial) compareView(ctx context.Context) error {
	const patience = 20 * time.Second
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := rig.Until(waiting, func() error { return t.view.caughtUp(waiting) }); err != nil {
		t.problem(fmt.Errorf("watching: %w", err))
	}
	wrong, err := t.view.compare(ctx)
	if err != nil {
		return err
	}
	t.report.WatchedWrong = len(wrong)
	t.view.mu.Lock()
	t.report.WatchedChanges, t.report.WatchedLost = t.view.changes, t.view.lost
	t.view.mu.Unlock()
	for _, w := range wrong[:min(shown, len(wrong))] {
		t.printf("WATCHED WRONG: %s", w)
	}
	return nil
}
