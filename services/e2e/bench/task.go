package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// runTask asks for a task and waits until it has ended well for every stream.
func runTask(
	ctx context.Context, client adminv1.AdminServiceClient, ask func() (id string, err error),
) (map[int32]*adminv1.Task, error) {
	id, err := ask()
	if err != nil {
		return nil, fmt.Errorf("asking for a task: %w", err)
	}
	stream, err := client.WatchTasks(ctx, &adminv1.WatchTasksRequest{TaskId: id})
	if err != nil {
		return nil, fmt.Errorf("watching a task: %w", err)
	}
	tasks := map[int32]*adminv1.Task{}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("watching a task: %w", err)
		}
		tasks[answer.GetTask().GetStream()] = answer.GetTask()
	}
	for _, t := range tasks {
		if t.GetState() != adminv1.TaskState_TASK_STATE_DONE {
			return nil, fmt.Errorf("the task of stream %d ended as %s: %s", t.GetStream(), t.GetState(), t.GetWhy())
		}
	}
	return tasks, nil
}
