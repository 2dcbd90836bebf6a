package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
)

// alertDecision is what the decisions about an alert have in common.
type alertDecision struct {
	use, short, example string
	args                int
	// call sends the decision; args are those of the command line, the alert's id first.
	call func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error)
}

// alertDecision makes a command of a decision.
func (a *app) alertDecision(d alertDecision) *cobra.Command {
	what := "the alert's id"
	if d.args > 1 {
		what += " and one more argument"
	}

	cmd := &cobra.Command{
		Use: d.use, Short: d.short, Args: arguments(d.args, d.args, what), Example: d.example,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.alerts(cmd.Context(), access.RoleOperator, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				alert, err := d.call(ctx, c, args)
				if err != nil {
					return fmt.Errorf("deciding about alert %q: %w", args[0], err)
				}

				v := viewAlert(alert)

				return a.printer().one(v, drawAlerts([]alertView{v}))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// noteFlags are those of decisions that take a remark, and of which two may be made at once.
func noteFlags(cmd *cobra.Command, note, author, id *string, revision *uint32) {
	cmd.Flags().StringVar(note, "note", "", "a remark")
	cmd.Flags().Uint32Var(revision, "revision", 0, "decide only if the alert is of this revision; 0: whatever it is")
	decisionFlags(cmd.Flags(), author, id)
}

func (a *app) alertsAckCommand() *cobra.Command {
	q := &alertv1.AcknowledgeAlertRequest{}
	cmd := a.alertDecision(alertDecision{
		use: "ack ALERT", short: "Say that somebody has taken an alert up", args: 1,
		example: "  hale alerts ack 4f0c9b --author maya --note 'I call them today'",
		call: func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error) {
			q.AlertId = args[0]
			r, err := c.AcknowledgeAlert(ctx, q)

			return r.GetAlert(), err
		},
	})
	noteFlags(cmd, &q.Note, &q.Author, &q.CommandId, &q.Revision)

	return cmd
}

func (a *app) alertsSnoozeCommand() *cobra.Command {
	q := &alertv1.SnoozeAlertRequest{}

	var long time.Duration

	cmd := a.alertDecision(alertDecision{
		use: "snooze ALERT", short: "Put an alert to sleep for a while", args: 1,
		example: "  hale alerts snooze 4f0c9b --for 48h --until-worse",
		call: func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error) {
			q.AlertId, q.Duration = args[0], durationpb.New(long)
			r, err := c.SnoozeAlert(ctx, q)

			return r.GetAlert(), err
		},
	})
	cmd.Flags().DurationVar(&long, "for", 0, "how long, such as 4h; at most 2160h")
	cmd.Flags().BoolVar(&q.UntilWorse, "until-worse", false, "wake it before that if the account gets worse")
	noteFlags(cmd, &q.Note, &q.Author, &q.CommandId, &q.Revision)
	needs(cmd, "for")

	return cmd
}

func (a *app) alertsResolveCommand() *cobra.Command {
	q := &alertv1.ResolveAlertRequest{}
	cmd := a.alertDecision(alertDecision{
		use: "resolve ALERT", short: "End an alert; its rule fires again only after its cause was gone", args: 1,
		call: func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error) {
			q.AlertId = args[0]
			r, err := c.ResolveAlert(ctx, q)

			return r.GetAlert(), err
		},
	})
	noteFlags(cmd, &q.Note, &q.Author, &q.CommandId, &q.Revision)

	return cmd
}

func (a *app) alertsAssignCommand() *cobra.Command {
	const two = 2

	q := &alertv1.AssignAlertRequest{}
	cmd := a.alertDecision(alertDecision{
		use: "assign ALERT PERSON", short: "Say who is to deal with an alert; '' for nobody", args: two,
		example: "  hale alerts assign 4f0c9b maya",
		call: func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error) {
			q.AlertId, q.Assignee = args[0], args[1]
			r, err := c.AssignAlert(ctx, q)

			return r.GetAlert(), err
		},
	})
	noteFlags(cmd, &q.Note, &q.Author, &q.CommandId, &q.Revision)

	return cmd
}

func (a *app) alertsCommentCommand() *cobra.Command {
	const two = 2

	q := &alertv1.CommentAlertRequest{}
	cmd := a.alertDecision(alertDecision{
		use: "comment ALERT TEXT", short: "Add a remark to what happened to an alert", args: two,
		call: func(ctx context.Context, c alertv1.AlertServiceClient, args []string) (*alertv1.Alert, error) {
			q.AlertId, q.Comment = args[0], args[1]
			r, err := c.CommentAlert(ctx, q)

			return r.GetAlert(), err
		},
	})
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)

	return cmd
}
