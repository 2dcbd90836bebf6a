package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// What `hale snapshot` and `hale rebuild` have in common: they ask the owners of streams for work, and follow it.

// taskView is the part of a piece of work that concerns one stream, under the names of the API.
type taskView struct {
	ID        string       `json:"task_id"`
	Kind      string       `json:"kind"`
	Stream    int32        `json:"stream"`
	State     string       `json:"state"`
	Why       string       `json:"why"`
	Partition *int32       `json:"partition"`
	Cursor    uint64       `json:"cursor"`
	AskedAt   string       `json:"asked_at"`
	BegunAt   string       `json:"begun_at"`
	UpdatedAt string       `json:"updated_at"`
	Owner     string       `json:"owner"`
	From      uint64       `json:"from_sequence"`
	At        uint64       `json:"at_sequence"`
	To        uint64       `json:"to_sequence"`
	Events    uint64       `json:"events"`
	Left      *float64     `json:"left_seconds"`
	Results   []resultView `json:"results"`
}

// resultView is what became of one partition.
type resultView struct {
	Partition int32  `json:"partition"`
	Cursor    uint64 `json:"cursor"`
	Bytes     int64  `json:"bytes"`
	Name      string `json:"name"`
}

func viewTask(t *adminv1.Task) taskView {
	v := taskView{
		ID: t.GetTaskId(), Kind: kindName(t.GetKind()), Stream: t.GetStream(), State: stateName(t.GetState()),
		Why: t.GetWhy(), Partition: t.Partition, Cursor: t.GetCursor(), AskedAt: timeText(t.GetAskedAt()),
		BegunAt: timeText(t.GetBegunAt()), UpdatedAt: timeText(t.GetUpdatedAt()), Owner: t.GetOwner(),
		From: t.GetFromSequence(), At: t.GetAtSequence(), To: t.GetToSequence(), Events: t.GetEvents(),
		Results: []resultView{},
	}

	if t.GetLeft() != nil {
		left := t.GetLeft().AsDuration().Seconds()
		v.Left = &left
	}

	for _, r := range t.GetResults() {
		v.Results = append(v.Results, resultView{r.GetPartition(), r.GetCursor(), r.GetBytes(), r.GetName()})
	}

	return v
}

func viewTasks(tasks []*adminv1.Task) []taskView {
	views := make([]taskView, 0, len(tasks))
	for _, t := range tasks {
		views = append(views, viewTask(t))
	}

	return views
}

// kindName is the kind as people write it: rebuild.
func kindName(k adminv1.TaskKind) string { return enumName(k.String(), "TASK_KIND_") }

// stateName is the state as people write it: running.
func stateName(s adminv1.TaskState) string { return enumName(s.String(), "TASK_STATE_") }

// final reports whether nothing more happens to a task.
func final(t *adminv1.Task) bool {
	switch t.GetState() {
	case adminv1.TaskState_TASK_STATE_DONE, adminv1.TaskState_TASK_STATE_FAILED, adminv1.TaskState_TASK_STATE_ABORTED:
		return true
	case adminv1.TaskState_TASK_STATE_UNSPECIFIED, adminv1.TaskState_TASK_STATE_ASKED,
		adminv1.TaskState_TASK_STATE_RUNNING, adminv1.TaskState_TASK_STATE_ABORTING:
	}

	return false
}

// await follows what was asked for, showing how far it is, until all of it has ended. A query service that restarts
// meanwhile does not end it.
func (a *app) await(ctx context.Context, c adminv1.AdminServiceClient, id string) ([]*adminv1.Task, error) {
	found := map[int32]*adminv1.Task{}
	show := a.newProgress()

	defer show.end()

	heard := time.Now()

	for {
		err := watchTasks(ctx, c, id, func(t *adminv1.Task) {
			heard, found[t.GetStream()] = time.Now(), t
			show.draw(ordered(found))
		})
		if err == nil {
			return ordered(found), nil
		}

		if ctx.Err() != nil {
			return nil, &failure{code: exitInterrupted, err: errGoesOn}
		}

		if status.Code(err) != codes.Unavailable || time.Since(heard) > a.settings.client.timeout {
			return nil, fmt.Errorf("following task %s: %w", id, err)
		}

		select {
		case <-ctx.Done():
		case <-time.After(watchEvery):
		}
	}
}

// errGoesOn says what an interrupt does not do.
var errGoesOn = errors.New("interrupted: what was asked for goes on without this command, until its abort command is called")

// watchTasks calls f for every state that the tasks have, until all have ended.
func watchTasks(ctx context.Context, c adminv1.AdminServiceClient, id string, f func(*adminv1.Task)) error {
	stream, err := c.WatchTasks(ctx, &adminv1.WatchTasksRequest{TaskId: id})
	if err != nil {
		return err
	}

	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}

		if err != nil {
			return err //nolint:wrapcheck // wrapped by await
		}

		f(r.GetTask())
	}
}

// ordered returns the tasks by stream.
func ordered(found map[int32]*adminv1.Task) []*adminv1.Task {
	all := make([]*adminv1.Task, 0, len(found))
	for _, t := range found {
		all = append(all, t)
	}

	slices.SortFunc(all, func(a, b *adminv1.Task) int { return cmp.Compare(a.GetStream(), b.GetStream()) })

	return all
}

// errTask says that a task did not end as it should.
var errTask = errors.New("it did not succeed")

// outcome is nil if all tasks ended in a state, else it says which did not, and why.
func outcome(tasks []*adminv1.Task, want adminv1.TaskState) error {
	var errs []error

	for _, t := range tasks {
		switch {
		case t.GetState() == want:
		case t.GetWhy() != "":
			errs = append(errs, fmt.Errorf("%w: %s of stream %d %s: %s",
				errTask, kindName(t.GetKind()), t.GetStream(), stateName(t.GetState()), printable(t.GetWhy())))
		case final(t):
			errs = append(errs, fmt.Errorf("%w: %s of stream %d is %s",
				errTask, kindName(t.GetKind()), t.GetStream(), stateName(t.GetState())))
		default:
			errs = append(errs, fmt.Errorf("%w: the %s of stream %d was %s when another took its place",
				errTask, kindName(t.GetKind()), t.GetStream(), stateName(t.GetState())))
		}
	}

	return errors.Join(errs...)
}

// listTasks returns the last tasks of some kinds.
func (a *app) listTasks(
	ctx context.Context, c adminv1.AdminServiceClient, kinds ...adminv1.TaskKind,
) ([]*adminv1.Task, error) {
	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	var all []*adminv1.Task

	for _, kind := range kinds {
		r, err := c.ListTasks(ctx, &adminv1.ListTasksRequest{Kind: kind})
		if err != nil {
			return nil, fmt.Errorf("reading the state of the %s: %w", kindName(kind), err)
		}

		all = append(all, r.GetTasks()...)
	}

	return all, nil
}

// advised adds to an error what can be done about it.
func advised(err error, kind adminv1.TaskKind) error {
	command := "hale snapshot"
	if kind == adminv1.TaskKind_TASK_KIND_REBUILD {
		command = "hale rebuild"
	}

	switch reasonOf(status.Convert(err)) {
	case "TASK_BUSY":
		return fmt.Errorf("%w (`%s status` shows it, `%s abort` gives it up)", err, command, command)
	case "SNAPSHOT_NOT_FOUND":
		return fmt.Errorf("%w (`hale snapshot list` shows which there are)", err)
	case "PARTITION_NOT_FOUND":
		return fmt.Errorf("%w (`hale partitions` shows which there are)", err)
	default:
		return err
	}
}
