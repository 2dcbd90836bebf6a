// Command bench measures Hale side by side with what it stands on, on the machine it runs on: raw JetStream, a bare
// gRPC echo. It prints a JSON line for each figure of each run on stdout, and a table of medians on stderr.
// `make bench` runs it. Figures differ between machines; the ratios are what to compare.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"hale.dev/services/e2e/rig"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == echoCommand {
		os.Exit(exit(runEcho(os.Args[2:])))
	}
	var o options
	flag.IntVar(&o.runs, "runs", 3, "how often everything is measured")
	flag.IntVar(&o.events, "events", 400_000, "events sent through the whole path in one run")
	flag.IntVar(&o.accounts, "accounts", 100_000, "accounts that they are spread over")
	flag.IntVar(&o.backlog, "backlog", 1_000_000, "events of the backlog that is drained")
	flag.StringVar(&o.only, "only", "", "measure only these parts, letters of the issue's list (for example bd)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	os.Exit(exit(err))
}

func exit(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

type options struct {
	runs, events, accounts, backlog int
	only                            string
}

// part measures one thing and reports figures; it may look at those of parts before it in the same run.
type part struct {
	letter string
	run    func(context.Context, *bench) error
}

// bench is what one run works with.
type bench struct {
	options

	dir      string
	programs rig.Programs
	report   *report
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "hale-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs, err := rig.Build(ctx, dir)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	parts := []part{
		{"a", rawJetStream},
		{"b", pipelineRedis},
		{"c", pipelineMemory},
		{"d", freshness},
		{"e", foldAlone},
		{"f", getHealth},
		{"i", drainBacklog},
		{"j", ingestAlone},
	}
	rep := newReport(os.Stdout)
	for i := range o.runs {
		b := &bench{options: o, programs: programs, report: rep}
		rep.run = i
		for _, p := range parts {
			if o.only != "" && !containsLetter(o.only, p.letter) {
				continue
			}
			if b.dir, err = os.MkdirTemp(dir, p.letter+"-"); err != nil {
				return fmt.Errorf("making a folder: %w", err)
			}
			fmt.Fprintf(os.Stderr, "run %d of %d, part %s\n", i+1, o.runs, p.letter)
			if err := p.run(ctx, b); err != nil {
				return fmt.Errorf("part %s: %w", p.letter, err)
			}
			if err := os.RemoveAll(b.dir); err != nil {
				return fmt.Errorf("clearing up: %w", err)
			}
		}
	}
	return rep.table(os.Stderr)
}

func containsLetter(s, letter string) bool {
	for _, r := range s {
		if string(r) == letter {
			return true
		}
	}
	return false
}
