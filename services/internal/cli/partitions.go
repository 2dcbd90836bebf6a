package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

const (
	// watchEvery is how often --watch looks again.
	watchEvery = time.Second
	// clearScreen puts the cursor at the top left of an empty screen.
	clearScreen = "\x1b[H\x1b[2J"
)

// partitionView is one partition, under the names of the API.
type partitionView struct {
	Partition   int32         `json:"partition"`
	Stream      int32         `json:"stream"`
	Owner       string        `json:"owner"`
	LeaseLeft   float64       `json:"lease_left_seconds"`
	Epoch       uint64        `json:"epoch"`
	Generation  uint64        `json:"generation"`
	Cursor      uint64        `json:"cursor"`
	LogEnd      uint64        `json:"log_end"`
	LagMessages uint64        `json:"lag_messages"`
	Lag         float64       `json:"lag_seconds"`
	AsOf        string        `json:"as_of"`
	Accounts    uint64        `json:"accounts"`
	Counted     uint64        `json:"counted"`
	Duplicates  uint64        `json:"duplicates"`
	Rejected    uint64        `json:"rejected"`
	Draft       *draftView    `json:"draft"`
	Problems    []problemView `json:"problems"`
}

// draftView is what a rebuild has made so far.
type draftView struct {
	Generation uint64 `json:"generation"`
	Cursor     uint64 `json:"cursor"`
}

func (a *app) partitionsCommand() *cobra.Command {
	watch := false

	cmd := &cobra.Command{
		Use: "partitions", Short: "Show who scores each partition, and how far it is",
		Long: "Shows for every partition of the log the process that owns it, its epoch and generation, the\n" +
			"place in the log up to which its scores are complete, and how many messages and seconds it\n" +
			"lags behind. Problems that can be seen from outside are named.",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale partitions\n  hale partitions --watch\n  hale partitions -o jsonl | jq 'select(.lag_messages > 0)'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				views, err := a.listPartitions(ctx, c)
				if err != nil {
					return err
				}

				if watch {
					return a.watchPartitions(ctx, c, views)
				}

				return a.printPartitions(views)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "look again every second, until interrupted")

	return cmd
}

// watchPartitions prints again and again until it is interrupted. That nobody answers for a while does not end it.
func (a *app) watchPartitions(ctx context.Context, c adminv1.AdminServiceClient, views []partitionView) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()

	for {
		if terminal(a.io.Out) {
			fmt.Fprint(a.io.Out, clearScreen)
		}

		if err := a.printPartitions(views); err != nil {
			return err
		}

		for views = nil; views == nil; {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}

			var err error
			if views, err = a.listPartitions(ctx, c); err != nil && exitCode(err) != exitUnavailable && ctx.Err() == nil {
				return err
			}

			if err != nil && ctx.Err() == nil {
				printError(a.io.Err, err)
			}
		}
	}
}

func (a *app) listPartitions(ctx context.Context, c adminv1.AdminServiceClient) ([]partitionView, error) {
	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	r, err := c.ListPartitions(ctx, &adminv1.ListPartitionsRequest{})
	if err != nil {
		return nil, fmt.Errorf("listing partitions: %w", err)
	}

	views := make([]partitionView, 0, len(r.GetPartitions()))
	for _, p := range r.GetPartitions() {
		views = append(views, viewPartition(p))
	}

	return views, nil
}

func viewPartition(p *adminv1.Partition) partitionView {
	v := partitionView{
		Partition: p.GetPartition(), Stream: p.GetStream(), Owner: p.GetOwner(),
		LeaseLeft: p.GetLeaseLeft().AsDuration().Seconds(), Epoch: p.GetEpoch(), Generation: p.GetGeneration(),
		Cursor: p.GetCursor(), LogEnd: p.GetLogEnd(), LagMessages: p.GetLagMessages(),
		Lag: p.GetLag().AsDuration().Seconds(), AsOf: timeText(p.GetAsOf()), Accounts: p.GetAccounts(),
		Counted: p.GetCounted(), Duplicates: p.GetDuplicates(), Rejected: p.GetRejected(), Problems: []problemView{},
	}

	if d := p.GetDraft(); d != nil {
		v.Draft = &draftView{Generation: d.GetGeneration(), Cursor: d.GetCursor()}
	}

	for _, one := range p.GetProblems() {
		v.Problems = append(v.Problems, problemView{one.GetField(), one.GetCode(), one.GetMessage()})
	}

	return v
}

// printPartitions prints them, and what is wrong with them as messages.
func (a *app) printPartitions(views []partitionView) error {
	if err := many(a.printer(), views, drawPartitions(views)); err != nil {
		return err
	}

	for _, v := range views {
		for _, p := range v.Problems {
			a.sayf("partition %d: %s: %s", v.Partition, p.Code, printable(p.Message))
		}
	}

	return nil
}

func drawPartitions(views []partitionView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "PARTITION", right: true},
			{name: "STREAM", right: true},
			{name: "OWNER"},
			{name: "EPOCH", right: true},
			{name: "GENERATION", right: true},
			{name: "CURSOR", right: true},
			{name: "LAG", right: true},
			{name: "LAG S", right: true},
			{name: "AS OF"},
			{name: "ACCOUNTS", right: true},
			{name: "DRAFT"},
		}}

		for _, v := range views {
			draft := ""
			if v.Draft != nil {
				draft = fmt.Sprintf("%d at %d", v.Draft.Generation, v.Draft.Cursor)
			}

			t.add(number(v.Partition), number(v.Stream), first(v.Owner, "-"), number(v.Epoch), number(v.Generation),
				number(v.Cursor), number(v.LagMessages), decimal(v.Lag, 1), seconds(v.AsOf), number(v.Accounts), draft)
		}

		return t.write(w)
	}
}

// number writes a whole number.
func number[T int | int32 | int64 | uint64](n T) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}

	return strconv.FormatUint(uint64(n), 10)
}
