package main

import (
	"context"
	"fmt"
	"os"

	"hale.dev/services/e2e/chain"
	"hale.dev/services/e2e/rig"
)

// runAlerts kills what stands between an event and the delivery of its alert.
func runAlerts(ctx context.Context, o options, dir string, programs rig.Programs) error {
	files, err := os.MkdirTemp(dir, "alerts-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	r, err := chain.Run(ctx, chain.Options{
		Programs: programs, Dir: files, Out: os.Stdout, Seed: o.trial.Seed, Rounds: o.rounds, Time: o.trial.Time,
	})
	if err != nil {
		return fmt.Errorf("seed %d: %w", o.trial.Seed, err)
	}
	if err := r.Print(os.Stdout); err != nil {
		return err
	}
	if err := note(o.results, r); err != nil {
		return err
	}
	if r.Failed() {
		return errWrong
	}
	return nil
}
