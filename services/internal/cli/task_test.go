package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/cli"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/task"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// folded plays a rebuild that takes a few steps.
func folded(one *task.Task) {
	if one.To == 0 {
		one.From, one.At, one.To = 1, 1, 101
	}

	one.At += 50
	one.Events += 5000

	if one.At == one.To {
		one.State = task.Done
	}
}

func TestRebuild(t *testing.T) {
	t.Parallel()

	d := deploy(t, true)

	none := d.hale(t, "", "rebuild", "status")
	require.Zero(t, none.code, none.err)
	golden(t, "rebuild-none", d.steady(none.out))

	nothing := d.hale(t, "", "rebuild", "abort")
	require.Equal(t, 3, nothing.code)
	require.Equal(t, "hale: aborting: no rebuild is under way (TASK_NOT_FOUND)\n", nothing.err)

	t.Run("without waiting it prints the id, and a second one is refused", func(t *testing.T) {
		asked := d.hale(t, "", "rebuild", "--wait=false", "-o", "json")
		require.Zero(t, asked.code, asked.err)
		require.Contains(t, asked.out, `"task_id": "`)

		status := d.hale(t, "", "rebuild", "status")
		require.Zero(t, status.code, status.err)
		golden(t, "rebuild-status", d.steady(status.out))

		busy := d.hale(t, "", "rebuild")
		require.Equal(t, 6, busy.code)
		require.Contains(t, busy.err, "a rebuild is under way already")
		require.Contains(t, busy.err, "`hale rebuild abort` gives it up) (TASK_BUSY)")
		require.Empty(t, busy.out)
	})

	t.Run("what nobody has begun can be given up", func(t *testing.T) {
		aborted := d.hale(t, "", "rebuild", "abort")
		require.Zero(t, aborted.code, aborted.err)
		golden(t, "rebuild-abort", d.steady(aborted.out))
	})

	t.Run("it waits for the end and shows how far it is", func(t *testing.T) {
		d.own(t, folded)

		got := d.hale(t, "", "rebuild")
		require.Zero(t, got.code, got.err)
		golden(t, "rebuild", d.steady(got.out))
		require.Contains(t, got.err, "rebuild: ")
		require.True(t, strings.HasSuffix(got.err, "rebuild: ended\n"), got.err)

		structured := d.hale(t, "", "rebuild", "-o", "jsonl")
		require.Zero(t, structured.code, structured.err)
		golden(t, "rebuild-jsonl", d.steady(structured.out))
	})
}

func TestRebuildThatFails(t *testing.T) {
	t.Parallel()

	d := deploy(t, true)
	d.own(t, func(one *task.Task) {
		if one.State = task.Done; one.Stream == 1 {
			one.State, one.Why = task.Failed, "no room left"
		}
	})

	got := d.hale(t, "", "rebuild")
	require.Equal(t, 1, got.code, "a failed task is a failure")
	golden(t, "rebuild-failed", d.steady(got.out))
	require.Contains(t, got.err, "hale: it did not succeed: rebuild of stream 1 failed: no room left\n")
}

// TestRebuildInterrupted ends the command, not the rebuild.
func TestRebuildInterrupted(t *testing.T) {
	t.Parallel()

	d := deploy(t, true)
	d.own(t, func(one *task.Task) { one.From, one.To, one.At = 1, 1_000_000_000, one.At+1 })

	ctx, cancel := context.WithCancel(t.Context())
	log, done := &telemetrytest.Buffer{}, make(chan int, 1)

	go func() {
		done <- cli.Main(ctx, []string{"rebuild", "--server", d.address, "--key", d.key},
			cli.IO{In: &bytes.Buffer{}, Out: &telemetrytest.Buffer{}, Err: log})
	}()

	running := func() task.State {
		one, err := d.tasks.Get(context.WithoutCancel(t.Context()), task.Rebuild, 1)
		if err != nil {
			return ""
		}

		return one.State
	}

	require.Eventually(t, func() bool { return running() == task.Running && strings.Contains(log.String(), "rebuild: ") },
		patience, time.Millisecond)
	cancel()
	require.Equal(t, 130, <-done)
	require.Contains(t, log.String(), "hale: interrupted: what was asked for goes on without this command")
	require.Equal(t, task.Running, running())

	aborted := d.hale(t, "", "rebuild", "abort")
	require.Zero(t, aborted.code, aborted.err)
	require.Equal(t, 2, strings.Count(aborted.out, " aborted "))
	require.Equal(t, task.Aborted, running())
}

// TestRebuildWithoutAnAnswer ends when nobody answers for as long as an answer may take.
func TestRebuildWithoutAnAnswer(t *testing.T) {
	t.Parallel()

	d := deploy(t, true)
	log, done := &telemetrytest.Buffer{}, make(chan int, 1)

	go func() {
		done <- cli.Main(t.Context(), []string{"rebuild", "--server", d.address, "--key", d.key, "--timeout", "3s"},
			cli.IO{In: &bytes.Buffer{}, Out: &telemetrytest.Buffer{}, Err: log})
	}()

	require.Eventually(t, func() bool { return strings.Contains(log.String(), "rebuild: waiting for the owners") },
		patience, time.Millisecond)
	d.stop()
	require.Equal(t, 5, <-done)
	require.Contains(t, log.String(), "hale: following task ")
}

// shot plays an owner that makes a snapshot of each partition that is asked for, or restores one.
func (d *deployment) shot(t *testing.T) func(*task.Task) {
	t.Helper()

	return func(one *task.Task) {
		one.State = task.Done

		for partition := range partitions {
			if d.log.Layout().Stream(partition) != one.Stream || (one.Partition >= 0 && one.Partition != partition) {
				continue
			}

			r := task.Result{Partition: partition, Cursor: one.Cursor}

			if one.Kind == task.Snapshot {
				info, err := d.archive.Create(context.WithoutCancel(t.Context()), partition,
					func(w *snapshot.Writer) (snapshot.Meta, error) {
						return snapshot.Meta{Stream: "s", Cursor: uint64(10 + partition)}, w.Put("key", []byte("value"))
					})
				if err != nil {
					one.State, one.Why = task.Failed, err.Error()
				}

				r = task.Result{Partition: partition, Cursor: info.Cursor, Bytes: info.Size, Name: info.Name}
			}

			one.Results = append(one.Results, r)
		}
	}
}

func TestSnapshots(t *testing.T) {
	t.Parallel()

	d := deploy(t, true)

	none := d.hale(t, "", "snapshot", "list", "-o", "json")
	require.Zero(t, none.code, none.err)
	require.Equal(t, "[]\n", none.out)

	missing := d.hale(t, "", "snapshot", "restore", "--all", "--yes")
	require.Equal(t, 3, missing.code)
	require.Contains(t, missing.err, "there is no snapshot yet (`hale snapshot list` shows which there are) (SNAPSHOT_NOT_FOUND)")

	d.own(t, d.shot(t))

	made := d.hale(t, "", "snapshot", "create", "3")
	require.Zero(t, made.code, made.err)
	golden(t, "snapshot-create-one", d.steady(made.out))

	made = d.hale(t, "", "snapshot", "create")
	require.Zero(t, made.code, made.err)
	golden(t, "snapshot-create", d.steady(made.out))

	list := d.hale(t, "", "snapshot", "list", "3")
	require.Zero(t, list.code, list.err)
	golden(t, "snapshot-list", d.steady(list.out))

	list = d.hale(t, "", "snapshot", "list", "--limit", "1", "-o", "jsonl")
	require.Zero(t, list.code, list.err)
	golden(t, "snapshot-list-jsonl", regexpPartition(d.steady(list.out)))
	require.Equal(t, 5, strings.Count(d.hale(t, "", "snapshot", "list", "--limit", "0", "-o", "jsonl").out, "\n"))

	unsure := d.hale(t, "n\n", "snapshot", "restore", "3", "--cursor", "13")
	require.Equal(t, 6, unsure.code)
	require.Equal(t, "Put the snapshot with cursor 13 of partition 3 in place of what is live, and read the log on from there? "+
		"[y/N] hale: nothing was done: say yes, or give --yes\n", unsure.err)
	require.Equal(t, 6, d.hale(t, "", "snapshot", "restore", "--all").code, "no answer is no")

	back := d.hale(t, "yes\n", "snapshot", "restore", "3", "--cursor", "13")
	require.Zero(t, back.code, back.err)
	golden(t, "snapshot-restore", d.steady(back.out))

	all := d.hale(t, "", "snapshot", "restore", "--all", "--yes", "-o", "json")
	require.Zero(t, all.code, all.err)
	require.Equal(t, partitions, strings.Count(all.out, `"name": ""`))

	status := d.hale(t, "", "snapshot", "status")
	require.Zero(t, status.code, status.err)
	golden(t, "snapshot-status", d.steady(status.out))

	unknown := d.hale(t, "", "snapshot", "create", "99")
	require.Equal(t, 3, unknown.code)
	require.Contains(t, unknown.err, "there is no partition 99, only 0 to 3 (`hale partitions` shows which there are) (PARTITION_NOT_FOUND)")

	require.Equal(t, 3, d.hale(t, "", "snapshot", "abort").code)
}

// regexpPartition takes out which partition's snapshot is the newest: streams are worked on at the same time.
func regexpPartition(text string) string {
	for _, n := range []string{"0", "1", "2", "3"} {
		text = strings.NewReplacer(`"partition":`+n, `"partition":P`, `"cursor":1`+n, `"cursor":C`,
			"/p000"+n+"/", "/P/", "000001"+n+"-", "C-").Replace(text)
	}

	return text
}

func TestSnapshotsOff(t *testing.T) {
	t.Parallel()

	d := deploy(t, false)
	got := d.hale(t, "", "snapshot", "create")
	require.Equal(t, 6, got.code)
	require.Equal(t, "hale: asking for a snapshot: snapshots are turned off in this deployment's configuration (SNAPSHOTS_OFF)\n",
		got.err)
}
