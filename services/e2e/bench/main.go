// Command bench measures Hale side by side with what it stands on, on the machine it runs on: raw JetStream, a bare
// gRPC echo. It prints a JSON line for each figure of each run on stdout, and a table of medians on stderr.
// `make bench` runs it. Parts that take minutes (l to q) are measured in the first run only. Figures differ between
// machines; the ratios are what to compare.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/store/redis"
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
	flag.IntVar(&o.replicas, "replicas", 0, "replicas of each redis-server of a cluster")
	flag.IntVar(&o.kills, "kills", 50, "how often a scoring process is killed, and as often asked to end")
	flag.BoolVar(&o.clusters, "clusters", false, "measure failover on clusters instead of single servers")
	flag.IntVar(&o.rebuild, "rebuild", 10_000_000, "events of the log that is folded again")
	flag.IntVar(&o.watchers, "watchers", 10_000, "watchers of one query process")
	flag.IntVar(&o.many, "many", 1_000_000, "accounts of snapshot, midnight roll, bounded memory and lists")
	flag.IntVar(&o.alerts, "alerts", 500, "alerts that are followed from event to webhook")
	flag.IntVar(&o.storm, "storm", 100_000, "accounts that cross a threshold at one midnight")
	flag.StringVar(&o.only, "only", "", "measure only these parts, letters of the issue's list (for example bd)")
	flag.Parse()
	redis.SetDriverLogger(slog.New(slog.DiscardHandler)) // servers that are just starting refuse connections
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
	replicas, kills, rebuild, many  int
	watchers, alerts, storm         int
	clusters                        bool
	only                            string
}

// part measures one thing and reports figures; it may look at those of parts before it in the same run.
type part struct {
	letter string
	run    func(context.Context, *bench) error
	// once says that it takes minutes, and is measured in the first run only.
	once bool
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
	rep := newReport(os.Stdout)
	for i := range o.runs {
		b := &bench{options: o, programs: programs, report: rep}
		rep.run = i
		for _, p := range parts() {
			if (o.only != "" && !containsLetter(o.only, p.letter)) || (p.once && i > 0) {
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

func parts() []part {
	return []part{
		{"a", rawJetStream, false},
		{"b", pipelineRedis, false},
		{"c", pipelineMemory, false},
		{"d", freshness, false},
		{"e", foldAlone, false},
		{"f", getHealth, false},
		{"i", drainBacklog, false},
		{"j", ingestAlone, false},
		{"k", pipelineClusters, false},
		{"l", failover, true},
		{"m", rebuildLog, true},
		{"n", snapshots, true},
		{"o", midnight, true},
		{"p", boundedMemory, true},
		{"q", lists, true},
		{"r", batchGet, false},
		{"s", watchFanOut, true},
		{"t", alertPath, false},
		{"u", storm, true},
	}
}

// sayf tells whoever waits what is being done.
func sayf(format string, args ...any) { fmt.Fprintf(os.Stderr, "  "+format+"\n", args...) }

func containsLetter(s, letter string) bool {
	for _, r := range s {
		if string(r) == letter {
			return true
		}
	}
	return false
}
