package query_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/task"
)

// own plays the owners of all streams until the test ends: it begins what is asked for and lets f end it, and gives up
// what is to be given up.
func (w *world) own(f func(*task.Task)) {
	w.tb.Helper()

	ctx, cancel := context.WithCancel(context.WithoutCancel(w.tb.Context()))
	ended := make(chan error, 1)

	go func() {
		ended <- w.tasks.Watch(ctx, func(t task.Task) error {
			switch t.State {
			case task.Asked:
				t.State, t.Owner, t.Begun, t.From, t.To = task.Running, "scoring-1", time.Now(), 100, 200
			case task.Running:
				f(&t)
			case task.Aborting:
				t.State = task.Aborted
			case task.Done, task.Failed, task.Aborted:
				return nil
			}

			if err := w.tasks.Update(ctx, &t); !errors.Is(err, task.ErrChanged) {
				return err
			}

			return nil // it comes again
		})
	}()

	w.tb.Cleanup(func() {
		cancel()
		require.ErrorIs(w.tb, <-ended, context.Canceled)
	})
}

// follow reads a watch to its end.
func follow(t *testing.T, stream grpc.ServerStreamingClient[adminv1.WatchTasksResponse]) []*adminv1.Task {
	t.Helper()

	var all []*adminv1.Task

	for {
		got, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all
		}

		require.NoError(t, err)

		all = append(all, got.GetTask())
	}
}

func (w *world) watch(id string) grpc.ServerStreamingClient[adminv1.WatchTasksResponse] {
	w.tb.Helper()

	stream, err := w.admin().WatchTasks(w.as(access.RoleAdmin), &adminv1.WatchTasksRequest{TaskId: id})
	require.NoError(w.tb, err)

	return stream
}

func TestRebuild(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	started, err := admin.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
	require.NoError(t, err)
	_, err = admin.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
	requireError(t, err, codes.FailedPrecondition, "TASK_BUSY")

	stream := w.watch(started.GetTaskId())
	first, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, adminv1.TaskState_TASK_STATE_ASKED, first.GetTask().GetState(), "each is sent as it is now")
	require.Nil(t, first.GetTask().Partition, "it is for all of the stream")
	require.WithinDuration(t, time.Now(), first.GetTask().GetAskedAt().AsTime(), time.Minute)
	require.Nil(t, first.GetTask().GetBegunAt())

	halfway := make(chan struct{})

	w.own(func(one *task.Task) {
		if one.At == 150 {
			select {
			case <-halfway: // a watch tells what is, and may pass over what was
			case <-t.Context().Done():
			}
		}

		one.At, one.Events = one.At+50, one.Events+1000
		if one.At = max(one.At, 150); one.At >= one.To {
			one.State = task.Done
			one.Results = []task.Result{{Partition: 3, Cursor: 200, Bytes: 7, Name: "n"}}
		}
	})

	var running *adminv1.Task

	for running.GetAtSequence() != 150 {
		got, err := stream.Recv()
		require.NoError(t, err)

		running = got.GetTask()
	}

	require.Equal(t, adminv1.TaskState_TASK_STATE_RUNNING, running.GetState())
	require.NotNil(t, running.GetLeft(), "half of it is done, so the rest can be estimated")
	close(halfway)

	all := follow(t, stream)
	last := all[len(all)-1]
	require.Equal(t, adminv1.TaskState_TASK_STATE_DONE, last.GetState())
	require.Equal(t, "scoring-1", last.GetOwner())
	require.Equal(t, uint64(200), last.GetToSequence())
	require.Equal(t, uint64(2000), last.GetEvents())
	require.Nil(t, last.GetLeft(), "nothing is left of what has ended")
	require.Len(t, last.GetResults(), 1)
	require.Equal(t, int32(3), last.GetResults()[0].GetPartition())
	require.Equal(t, uint64(200), last.GetResults()[0].GetCursor())
	require.Equal(t, int64(7), last.GetResults()[0].GetBytes())
	require.Equal(t, "n", last.GetResults()[0].GetName())

	require.Len(t, follow(t, w.watch(started.GetTaskId())), 1, "a watch of what has ended says so and ends")
}

func TestTasksThatFail(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.own(func(one *task.Task) { one.State, one.Why = task.Failed, "no room" })

	started, err := w.admin().StartRebuild(w.as(access.RoleAdmin), &adminv1.StartRebuildRequest{})
	require.NoError(t, err)

	all := follow(t, w.watch(started.GetTaskId()))
	require.Equal(t, adminv1.TaskState_TASK_STATE_FAILED, all[len(all)-1].GetState())
	require.Equal(t, "no room", all[len(all)-1].GetWhy())
}

func TestAbortTask(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)
	rebuild := &adminv1.AbortTaskRequest{Kind: adminv1.TaskKind_TASK_KIND_REBUILD}

	_, err := admin.AbortTask(ctx, rebuild)
	requireError(t, err, codes.NotFound, "TASK_NOT_FOUND")
	_, err = admin.AbortTask(ctx, &adminv1.AbortTaskRequest{})
	require.Equal(t, []string{"kind"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	w.own(func(one *task.Task) { one.At++ }) // for ever

	started, err := admin.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
	require.NoError(t, err)

	stream := w.watch(started.GetTaskId())

	for {
		got, err := stream.Recv()
		require.NoError(t, err)

		if got.GetTask().GetState() == adminv1.TaskState_TASK_STATE_RUNNING {
			break
		}
	}

	given, err := admin.AbortTask(ctx, rebuild)
	require.NoError(t, err)
	require.Equal(t, []string{started.GetTaskId()}, given.GetTaskIds())

	all := follow(t, stream)
	require.Equal(t, adminv1.TaskState_TASK_STATE_ABORTED, all[len(all)-1].GetState())
}

func TestListTasks(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	none, err := admin.ListTasks(ctx, &adminv1.ListTasksRequest{})
	require.NoError(t, err)
	require.Empty(t, none.GetTasks())

	for _, kind := range []task.Kind{task.Snapshot, task.Restore, task.Rebuild, "of the future"} {
		_, err := w.tasks.Ask(t.Context(), task.Task{Kind: kind, Partition: 2, Cursor: 9}, 0)
		if kind == "of the future" {
			require.Error(t, err, "no key")

			continue
		}

		require.NoError(t, err)
	}

	got, err := admin.ListTasks(ctx, &adminv1.ListTasksRequest{})
	require.NoError(t, err)
	require.Len(t, got.GetTasks(), 3)

	var kinds []adminv1.TaskKind
	for _, one := range got.GetTasks() {
		kinds = append(kinds, one.GetKind())
		require.Equal(t, int32(2), one.GetPartition())
		require.Equal(t, uint64(9), one.GetCursor())
	}

	require.Equal(t, []adminv1.TaskKind{
		adminv1.TaskKind_TASK_KIND_REBUILD, adminv1.TaskKind_TASK_KIND_RESTORE, adminv1.TaskKind_TASK_KIND_SNAPSHOT,
	}, kinds)

	only, err := admin.ListTasks(ctx, &adminv1.ListTasksRequest{Kind: adminv1.TaskKind_TASK_KIND_RESTORE})
	require.NoError(t, err)
	require.Len(t, only.GetTasks(), 1)
}

func TestWatchTasks(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))

	_, err := w.watch("nothing").Recv()
	requireError(t, err, codes.NotFound, "TASK_NOT_FOUND")
	_, err = w.watch("").Recv()
	require.Equal(t, []string{"task_id"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	first, err := w.tasks.Ask(t.Context(), task.Task{Kind: task.Snapshot}, 0, 1)
	require.NoError(t, err)

	stream := w.watch(first)
	for range 2 { // one of each stream
		got, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, first, got.GetTask().GetTaskId())
	}

	// Both end, and one is in its place already.
	_, err = w.tasks.Abort(t.Context(), task.Snapshot, 2)
	require.NoError(t, err)

	next, err := w.tasks.Ask(t.Context(), task.Task{Kind: task.Snapshot}, 0)
	require.NoError(t, err)

	for _, one := range follow(t, stream) {
		require.Equal(t, first, one.GetTaskId(), "nothing else is sent")
	}

	waiting := w.watch(next)
	_, err = waiting.Recv()
	require.NoError(t, err)
	require.NoError(t, w.stop())

	_, err = waiting.Recv()
	requireError(t, err, codes.Unavailable, "STOPPING")
}

func TestTasksWithoutABoard(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	require.NoError(t, w.log.JetStream().DeleteKeyValue(t.Context(), "hale_tasks"))

	admin := w.admin()
	ctx, cancel := context.WithTimeout(w.as(access.RoleAdmin), patience)
	t.Cleanup(cancel)

	_, err := admin.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
	requireError(t, err, codes.Unavailable, "TASKS_UNAVAILABLE")
	_, err = admin.ListTasks(ctx, &adminv1.ListTasksRequest{})
	requireError(t, err, codes.Unavailable, "TASKS_UNAVAILABLE")
	_, err = admin.AbortTask(ctx, &adminv1.AbortTaskRequest{Kind: adminv1.TaskKind_TASK_KIND_REBUILD})
	requireError(t, err, codes.Unavailable, "TASKS_UNAVAILABLE")
}
