package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// finish says what was asked for and, if the user wants to wait, follows it to its end and prints what became of it.
func (a *app) finish(
	ctx context.Context, c adminv1.AdminServiceClient, id string, wait bool, draw func([]taskView) func(io.Writer) error,
) error {
	if !wait {
		v := struct {
			ID string `json:"task_id"`
		}{id}

		return a.printer().one(v, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, id)

			return err //nolint:wrapcheck // a failed write to stdout says it all
		})
	}

	tasks, err := a.await(ctx, c, id)
	if err != nil {
		return err
	}

	views := viewTasks(tasks)
	if err := many(a.printer(), views, draw(views)); err != nil {
		return err
	}

	return outcome(tasks, adminv1.TaskState_TASK_STATE_DONE)
}

// statusCommand shows the last tasks of some kinds.
func (a *app) statusCommand(short string, kinds ...adminv1.TaskKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: short, Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				tasks, err := a.listTasks(ctx, c, kinds...)
				if err != nil {
					return err
				}

				views := viewTasks(tasks)

				return many(a.printer(), views, drawTasks(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// abortCommand gives up what is under way of some kinds, and waits until it is given up.
func (a *app) abortCommand(short string, kinds ...adminv1.TaskKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "abort", Short: short, Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				var given []*adminv1.Task

				ids, err := a.abort(ctx, c, kinds)
				for _, id := range ids {
					tasks, awaitErr := a.await(ctx, c, id)
					err = errors.Join(err, awaitErr)
					given = append(given, tasks...)
				}

				if err != nil {
					return err
				}

				views := viewTasks(given)

				return many(a.printer(), views, drawTasks(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// abort asks the owners to give up what is under way of some kinds. It is an error if nothing is.
func (a *app) abort(ctx context.Context, c adminv1.AdminServiceClient, kinds []adminv1.TaskKind) (ids []string, err error) {
	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	var none error

	for _, kind := range kinds {
		r, err := c.AbortTask(ctx, &adminv1.AbortTaskRequest{Kind: kind})

		switch {
		case err == nil:
			ids = append(ids, r.GetTaskIds()...)
		case status.Code(err) == codes.NotFound:
			none = fmt.Errorf("aborting: %w", err)
		default:
			return ids, fmt.Errorf("aborting the %s: %w", kindName(kind), err)
		}
	}

	if len(ids) == 0 {
		return nil, none
	}

	return ids, nil
}

func drawTasks(views []taskView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "KIND"},
			{name: "STREAM", right: true},
			{name: "STATE"},
			{name: "DONE", right: true},
			{name: "EVENTS", right: true},
			{name: "LEFT", right: true},
			{name: "OWNER"},
			{name: "ASKED AT"},
			{name: "WHY"},
		}}

		for i := range views {
			v := &views[i]

			left := ""
			if v.Left != nil {
				left = decimal(*v.Left, 0) + "s"
			}

			t.add(v.Kind, number(v.Stream), v.State, shareText(v.From, v.At, v.To), number(v.Events), left, v.Owner,
				seconds(v.AskedAt), v.Why)
		}

		return t.write(w)
	}
}

// shareText is how much of the way is done; empty if there is none.
func shareText(from, at, to uint64) string {
	if to <= from || at < from {
		return ""
	}

	return number(min(100, 100*(at-from)/(to-from))) + "%" // of a hundred
}

// confirmed asks a question on stderr and reports whether the answer is yes.
func (a *app) confirmed(question string) bool {
	fmt.Fprint(a.io.Err, question+" [y/N] ")

	answer, err := readLine(a.io.In)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}

	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	default:
		return false
	}
}

// maxAnswerLine bounds what is read of an answer, in bytes.
const maxAnswerLine = 64

// readLine reads up to the end of a line, and nothing beyond it.
func readLine(r io.Reader) (string, error) {
	line := make([]byte, 0, maxAnswerLine)

	for len(line) < maxAnswerLine {
		var b [1]byte

		n, err := r.Read(b[:])
		if n > 0 && b[0] == '\n' {
			break
		}

		line = append(line, b[:n]...)

		if err != nil {
			return string(line), err
		}
	}

	return string(line), nil
}
