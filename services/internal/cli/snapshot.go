package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

func (a *app) snapshotCommand() *cobra.Command {
	const (
		create  = adminv1.TaskKind_TASK_KIND_SNAPSHOT
		restore = adminv1.TaskKind_TASK_KIND_RESTORE
	)

	return parent("snapshot", "Look at snapshots, make and restore them: list, create, restore, status, abort",
		a.snapshotListCommand(), a.snapshotCreateCommand(), a.snapshotRestoreCommand(),
		a.statusCommand("Show how far the last create and restore are", create, restore),
		a.abortCommand("Give the create and the restore under way up", create, restore))
}

// partitionArgument reads the partition that a command may name; nil: it names none.
func partitionArgument(args []string) (*int32, error) {
	if len(args) == 0 {
		return nil, nil //nolint:nilnil // nil says: none
	}

	n, err := strconv.ParseInt(args[0], 10, 32)
	if err != nil || n < 0 {
		return nil, usageError("%q is not the number of a partition", args[0])
	}

	partition := int32(n)

	return &partition, nil
}

// snapshotView is a snapshot, under the names of the API.
type snapshotView struct {
	Name      string `json:"name"`
	Partition int32  `json:"partition"`
	Cursor    uint64 `json:"cursor"`
	CreatedAt string `json:"created_at"`
	Bytes     int64  `json:"bytes"`
}

func (a *app) snapshotListCommand() *cobra.Command {
	limit := 0

	cmd := &cobra.Command{
		Use: "list [PARTITION]", Short: "List snapshots, newest first",
		Args: arguments(0, 1, "the number of a partition, or nothing"), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  hale snapshot list\n  hale snapshot list 3 -o jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			partition, err := partitionArgument(args)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				views, err := listSnapshots(ctx, c, partition, limit)
				if err != nil {
					return err
				}

				return many(a.printer(), views, drawSnapshots(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this many; 0: all")

	return cmd
}

func listSnapshots(
	ctx context.Context, c adminv1.AdminServiceClient, partition *int32, limit int,
) ([]snapshotView, error) {
	q := &adminv1.ListSnapshotsRequest{Partition: partition}

	var views []snapshotView

	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(views))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListSnapshots(ctx, q)
		if err != nil {
			return nil, advised(fmt.Errorf("listing snapshots: %w", err), adminv1.TaskKind_TASK_KIND_SNAPSHOT)
		}

		for _, s := range r.GetSnapshots() {
			views = append(views, snapshotView{
				Name: s.GetName(), Partition: s.GetPartition(), Cursor: s.GetCursor(),
				CreatedAt: timeText(s.GetCreatedAt()), Bytes: s.GetBytes(),
			})
		}

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(views) >= limit) {
			return views, nil
		}
	}
}

func drawSnapshots(views []snapshotView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "CREATED AT"},
			{name: "PARTITION", right: true},
			{name: "CURSOR", right: true},
			{name: "BYTES", right: true},
			{name: "NAME"},
		}}

		for _, v := range views {
			t.add(seconds(v.CreatedAt), number(v.Partition), number(v.Cursor), number(v.Bytes), v.Name)
		}

		return t.write(w)
	}
}

func (a *app) snapshotCreateCommand() *cobra.Command {
	const kind = adminv1.TaskKind_TASK_KIND_SNAPSHOT

	wait := true
	cmd := &cobra.Command{
		Use: "create [PARTITION]", Short: "Write a snapshot of a partition, or of all, now",
		Args: arguments(0, 1, "the number of a partition, or nothing"), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  hale snapshot create\n  hale snapshot create 3",
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, err := partitionArgument(args)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				asking, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.CreateSnapshot(asking, &adminv1.CreateSnapshotRequest{Partition: partition})
				if err != nil {
					return advised(fmt.Errorf("asking for a snapshot: %w", err), kind)
				}

				return a.finish(ctx, c, r.GetTaskId(), wait, drawResults)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().BoolVar(&wait, "wait", true, "wait for the end, and show how far it is")

	return cmd
}

func (a *app) snapshotRestoreCommand() *cobra.Command {
	var (
		q              = &adminv1.RestoreSnapshotRequest{}
		all, yes, wait = false, false, true
	)

	cmd := &cobra.Command{
		Use: "restore PARTITION|--all", Short: "Put a snapshot in place of what is live, and read the log on from there",
		Long: "Puts a partition's newest good snapshot, or the one with the cursor that is named, in place of\n" +
			"what is live. The log is read on from there, so nothing is lost that the log still has.",
		Args: arguments(0, 1, "the number of a partition, or --all"), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  hale snapshot restore 3\n  hale snapshot restore 3 --cursor 81274\n  hale snapshot restore --all --yes",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if q.Partition, err = partitionArgument(args); err != nil {
				return err
			}

			if (q.Partition != nil) == all {
				return usageError("name a partition, or --all")
			}

			if q.GetCursor() != 0 && all {
				return usageError("--cursor names a snapshot of one partition: it does not go with --all")
			}

			if !yes && !a.confirmed(restoreQuestion(q)) {
				return refused("nothing was done: say yes, or give --yes")
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				return a.restore(ctx, c, q, wait)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().Uint64Var(&q.Cursor, "cursor", 0, "cursor of the snapshot; 0: the newest good one")
	cmd.Flags().BoolVar(&all, "all", false, "all partitions")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask whether it is meant")
	cmd.Flags().BoolVar(&wait, "wait", true, "wait for the end, and show how far it is")

	return cmd
}

func restoreQuestion(q *adminv1.RestoreSnapshotRequest) string {
	which, of := "the newest snapshot", "every partition"
	if q.GetCursor() != 0 {
		which = "the snapshot with cursor " + number(q.GetCursor())
	}

	if q.Partition != nil {
		of = "partition " + number(q.GetPartition())
	}

	return fmt.Sprintf("Put %s of %s in place of what is live, and read the log on from there?", which, of)
}

func (a *app) restore(
	ctx context.Context, c adminv1.AdminServiceClient, q *adminv1.RestoreSnapshotRequest, wait bool,
) error {
	asking, cancel := a.settings.within(ctx)
	defer cancel()

	r, err := c.RestoreSnapshot(asking, q)
	if err != nil {
		return advised(fmt.Errorf("asking for a restore: %w", err), adminv1.TaskKind_TASK_KIND_RESTORE)
	}

	return a.finish(ctx, c, r.GetTaskId(), wait, drawResults)
}

// drawResults writes a line for each partition, and one for each stream that has nothing to show.
func drawResults(views []taskView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "PARTITION", right: true},
			{name: "STREAM", right: true},
			{name: "STATE"},
			{name: "CURSOR", right: true},
			{name: "BYTES", right: true},
			{name: "NAME"},
			{name: "WHY"},
		}}

		for i := range views {
			v := &views[i]
			for _, r := range v.Results {
				t.add(number(r.Partition), number(v.Stream), v.State, number(r.Cursor), number(r.Bytes), r.Name, v.Why)
			}

			if len(v.Results) == 0 {
				t.add("", number(v.Stream), v.State, "", "", "", v.Why)
			}
		}

		return t.write(w)
	}
}
