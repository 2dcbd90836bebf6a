package query

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/task"
)

// errAllEnded ends a watch of tasks.
var errAllEnded = errors.New("query: all tasks have ended")

// WatchTasks implements AdminService.
func (a *adminServer) WatchTasks(
	req *adminv1.WatchTasksRequest, stream grpc.ServerStreamingServer[adminv1.WatchTasksResponse],
) error {
	ctx, cancel := a.service.untilStopping(stream.Context())
	defer cancel()

	found, err := a.service.tasks(ctx, func(t *task.Task) bool { return t.ID == req.GetTaskId() })
	if err != nil {
		return causeOf(ctx, err)
	}

	if len(found) == 0 {
		return errNoTask(fmt.Sprintf("there is no task %q; only the last one of each kind is kept", req.GetTaskId()))
	}

	w := &taskWatch{id: req.GetTaskId(), open: map[taskPlace]bool{}, send: stream.Send}
	for i := range found {
		w.open[taskPlace{found[i].Kind, found[i].Stream}] = true
	}

	err = a.service.deps.Tasks.Watch(ctx, w.take)

	switch {
	case errors.Is(err, errAllEnded):
		return nil
	case ctx.Err() != nil, w.failed:
		return causeOf(ctx, err)
	default:
		return unavailable(reasonTasks, "the board of tasks cannot be read now", err)
	}
}

// taskPlace is where a task stands on the board.
type taskPlace struct {
	kind   task.Kind
	stream int
}

// taskWatch is one WatchTasks under way.
type taskWatch struct {
	id   string
	open map[taskPlace]bool // where a task with the id has not ended yet
	send func(*adminv1.WatchTasksResponse) error
	// failed says that the caller cannot be told.
	failed bool
}

// take sends what the board has of the tasks. One in whose place there is another now has ended, unseen.
func (w *taskWatch) take(t task.Task) error {
	at := taskPlace{t.Kind, t.Stream}
	if !w.open[at] {
		return nil
	}

	if t.ID == w.id {
		if err := w.send(&adminv1.WatchTasksResponse{Task: taskAnswer(&t)}); err != nil {
			w.failed = true

			return fmt.Errorf("sending a task: %w", err)
		}
	}

	if t.ID != w.id || t.State.Final() {
		delete(w.open, at)
	}

	if len(w.open) == 0 {
		return errAllEnded
	}

	return nil
}

// untilStopping is a context for a stream: it ends, with an error for the caller, when the service begins to stop.
func (s *Service) untilStopping(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)

	go func() {
		select {
		case <-ctx.Done():
		case <-s.stopping:
			cancel(&Error{Code: codes.Unavailable, Reason: reasonStopping, Message: "the service is stopping"})
		}
	}()

	return ctx, func() { cancel(nil) }
}

// causeOf is why a context ended, if that is what err is about.
func causeOf(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return context.Cause(ctx)
	}

	return err
}
