// Command chaos runs Hale on clusters, under load, while everything fails that may fail, and compares every account
// with the oracle. `make chaos` runs it. The seed that it prints repeats the faults and the traffic.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/trial"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are the program's arguments.
type options struct {
	trial   trial.Options
	parts   int
	results string
	sum     bool
	dir     string
	keep    bool
	// alerts runs package chain instead; rounds are its rounds.
	alerts bool
	rounds int
}

func parse(args []string) (options, error) {
	var (
		o       options
		classes string
	)
	set := flag.NewFlagSet("chaos", flag.ContinueOnError)
	now := uint64(time.Now().Unix()) //nolint:gosec // positive
	set.Uint64Var(&o.trial.Seed, "seed", now, "decides faults and traffic; further parts take the next ones")
	set.IntVar(&o.trial.Faults, "faults", 0, "most faults of a part; 0: 120")
	set.DurationVar(&o.trial.Time, "time", 0, "longest time of a part; 0: 9m")
	set.IntVar(&o.trial.Rate, "rate", 0, "events sent in a second; 0: 1500")
	set.IntVar(&o.trial.Accounts, "accounts", 0, "accounts they are about; 0: 3000")
	set.StringVar(&classes, "classes", "", "classes of faults, by commas; empty: all")
	set.IntVar(&o.parts, "parts", 1, "parts to run, one after another")
	set.IntVar(&o.trial.Fleet.Shards, "shards", 0, "shards of Redis Cluster; 0: 3")
	set.IntVar(&o.trial.Fleet.Replicas, "replicas", 0, "replicas of each shard; 0: 1; -1: none")
	set.IntVar(&o.trial.Fleet.Scoring, "scoring", 0, "scoring processes; 0: 3")
	set.StringVar(&o.results, "results", "", "file to which each part adds a line of JSON, for -sum")
	set.BoolVar(&o.sum, "sum", false, "run nothing: print the sum of -results")
	set.StringVar(&o.dir, "dir", "", "folder for the fleet's files; empty: a temporary one")
	set.BoolVar(&o.keep, "keep", false, "keep the fleet's files")
	set.BoolVar(&o.alerts, "alerts", false, "kill what stands between an event and the delivery of its alert, instead")
	set.IntVar(&o.rounds, "rounds", 0, "with -alerts: how many processes are killed; 0: 20")
	set.Usage = func() {
		fmt.Fprintln(set.Output(), "Usage of chaos:")
		set.PrintDefaults()
		fmt.Fprintln(set.Output(), "Classes:", fault.Classes())
	}
	if err := set.Parse(args); err != nil {
		return o, fmt.Errorf("reading the arguments: %w", err)
	}
	for c := range strings.SplitSeq(classes, ",") {
		if c != "" {
			o.trial.Classes = append(o.trial.Classes, fault.Class(c))
		}
	}
	return o, nil
}
