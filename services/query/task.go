package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/task"
)

// StartRebuild implements AdminService.
func (a *adminServer) StartRebuild(
	ctx context.Context, _ *adminv1.StartRebuildRequest,
) (*adminv1.StartRebuildResponse, error) {
	id, err := a.service.ask(ctx, task.Task{Kind: task.Rebuild, Partition: anyPartition})
	if err != nil {
		return nil, err
	}

	return &adminv1.StartRebuildResponse{TaskId: id}, nil
}

// ask puts a task up for the stream of its partition, or for all.
func (s *Service) ask(ctx context.Context, t task.Task) (string, error) {
	layout := s.deps.Log.Layout()
	streams := make([]int, layout.Streams)

	for n := range streams {
		streams[n] = n
	}

	if t.Partition != anyPartition {
		streams = []int{layout.Stream(t.Partition)}
	}

	id, err := s.deps.Tasks.Ask(ctx, t, streams...)
	if errors.Is(err, task.ErrBusy) {
		return "", &Error{
			Code: codes.FailedPrecondition, Reason: reasonTaskBusy, cause: err,
			Message: fmt.Sprintf("a %s is under way already: wait for its end, or abort it", t.Kind),
		}
	}

	if err != nil {
		return "", unavailable(reasonTasks, "the board of tasks cannot be written now", err)
	}

	s.deps.Logger.InfoContext(ctx, "an operator asks the owners for work",
		"kind", t.Kind, "task", id, "partition", t.Partition, "cursor", t.Cursor)

	return id, nil
}

// AbortTask implements AdminService.
func (a *adminServer) AbortTask(ctx context.Context, req *adminv1.AbortTaskRequest) (*adminv1.AbortTaskResponse, error) {
	d, kind := a.service.deps, kindOf(req.GetKind())

	ids, err := d.Tasks.Abort(ctx, kind, d.Log.Layout().Streams)
	if errors.Is(err, task.ErrNone) {
		return nil, errNoTask(fmt.Sprintf("no %s is under way", kind))
	}

	if err != nil {
		return nil, unavailable(reasonTasks, "the board of tasks cannot be written now", err)
	}

	d.Logger.InfoContext(ctx, "an operator asks the owners to give work up", "kind", kind, "tasks", ids)

	return &adminv1.AbortTaskResponse{TaskIds: ids}, nil
}

func errNoTask(message string) *Error {
	return &Error{Code: codes.NotFound, Reason: reasonTask, Message: message}
}

// ListTasks implements AdminService.
func (a *adminServer) ListTasks(ctx context.Context, req *adminv1.ListTasksRequest) (*adminv1.ListTasksResponse, error) {
	all, err := a.service.tasks(ctx, func(t *task.Task) bool {
		return req.GetKind() == adminv1.TaskKind_TASK_KIND_UNSPECIFIED || t.Kind == kindOf(req.GetKind())
	})
	if err != nil {
		return nil, err
	}

	answer := &adminv1.ListTasksResponse{}
	for i := range all {
		answer.Tasks = append(answer.Tasks, taskAnswer(&all[i]))
	}

	return answer, nil
}

// tasks returns those on the board that are wanted.
func (s *Service) tasks(ctx context.Context, wanted func(*task.Task) bool) ([]task.Task, error) {
	all, err := s.deps.Tasks.List(ctx, s.deps.Log.Layout().Streams)
	if err != nil {
		return nil, unavailable(reasonTasks, "the board of tasks cannot be read now", err)
	}

	var found []task.Task

	for i := range all {
		if wanted(&all[i]) {
			found = append(found, all[i])
		}
	}

	return found, nil
}

// kindOf is the board's word for a kind.
func kindOf(k adminv1.TaskKind) task.Kind {
	switch k {
	case adminv1.TaskKind_TASK_KIND_REBUILD:
		return task.Rebuild
	case adminv1.TaskKind_TASK_KIND_SNAPSHOT:
		return task.Snapshot
	case adminv1.TaskKind_TASK_KIND_RESTORE:
		return task.Restore
	case adminv1.TaskKind_TASK_KIND_UNSPECIFIED:
	}

	return ""
}

// kindAnswer undoes kindOf. A kind that a newer version put on the board is unspecified here.
func kindAnswer(k task.Kind) adminv1.TaskKind {
	switch k {
	case task.Rebuild:
		return adminv1.TaskKind_TASK_KIND_REBUILD
	case task.Snapshot:
		return adminv1.TaskKind_TASK_KIND_SNAPSHOT
	case task.Restore:
		return adminv1.TaskKind_TASK_KIND_RESTORE
	default:
		return adminv1.TaskKind_TASK_KIND_UNSPECIFIED
	}
}

func stateAnswer(s task.State) adminv1.TaskState {
	switch s {
	case task.Asked:
		return adminv1.TaskState_TASK_STATE_ASKED
	case task.Running:
		return adminv1.TaskState_TASK_STATE_RUNNING
	case task.Aborting:
		return adminv1.TaskState_TASK_STATE_ABORTING
	case task.Done:
		return adminv1.TaskState_TASK_STATE_DONE
	case task.Failed:
		return adminv1.TaskState_TASK_STATE_FAILED
	case task.Aborted:
		return adminv1.TaskState_TASK_STATE_ABORTED
	default:
		return adminv1.TaskState_TASK_STATE_UNSPECIFIED
	}
}

// taskAnswer is a task in answers.
func taskAnswer(t *task.Task) *adminv1.Task {
	out := &adminv1.Task{
		TaskId: t.ID, Kind: kindAnswer(t.Kind), State: stateAnswer(t.State), Why: t.Why, Cursor: t.Cursor,
		Stream: int32(t.Stream), Owner: t.Owner, //nolint:gosec // a handful of streams
		AskedAt: whenSet(t.Asked), BegunAt: whenSet(t.Begun), UpdatedAt: whenSet(t.Updated),
		FromSequence: t.From, AtSequence: t.At, ToSequence: t.To, Events: t.Events,
	}

	if t.Partition != anyPartition {
		partition := int32(t.Partition) //nolint:gosec // a handful
		out.Partition = &partition
	}

	if left, known := t.Left(); known && !t.State.Final() {
		out.Left = durationpb.New(left)
	}

	for _, r := range t.Results {
		out.Results = append(out.Results, &adminv1.TaskResult{
			Partition: int32(r.Partition), Cursor: r.Cursor, Bytes: r.Bytes, Name: r.Name, //nolint:gosec // a handful
		})
	}

	return out
}

// whenSet is a timestamp; nil for the zero time.
func whenSet(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}

	return timestamppb.New(t)
}
