package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// letterView is a notification that was given up.
type letterView struct {
	ID       string    `json:"id"`
	Receiver string    `json:"receiver"`
	At       time.Time `json:"at"`
	Attempts uint32    `json:"attempts"`
	Alerts   []string  `json:"alerts"`
	Reason   string    `json:"reason"`
}

func (a *app) deadLettersCommand() *cobra.Command {
	return parent("dead-letters", "Look at notifications that were given up and send them again: list, resend",
		a.deadLettersListCommand(), a.deadLettersResendCommand())
}

func (a *app) deadLettersListCommand() *cobra.Command {
	var limit int

	cmd := &cobra.Command{
		Use: "list", Short: "List notifications that were given up, newest first", Args: arguments(0, 0, "no arguments"),
		Example: "  hale dead-letters list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				letters, err := listLetters(ctx, c, limit)
				if err != nil {
					return err
				}

				return many(a.printer(), letters, drawLetters(letters))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this many; 0: all")

	return cmd
}

func listLetters(ctx context.Context, c adminv1.AdminServiceClient, limit int) ([]letterView, error) {
	q := &adminv1.ListDeadLettersRequest{}

	letters := []letterView{}

	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(letters))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListDeadLetters(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing dead letters: %w", err)
		}

		for _, one := range r.GetLetters() {
			letters = append(letters, letterView{
				ID: one.GetLetterId(), Receiver: one.GetReceiver(), At: one.GetAt().AsTime(), Attempts: one.GetAttempts(),
				Alerts: one.GetAlertIds(), Reason: one.GetReason(),
			})
		}

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(letters) >= limit) {
			return letters, nil
		}
	}
}

func drawLetters(letters []letterView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "ID"}, {name: "RECEIVER"}, {name: "AT"}, {name: "ATTEMPTS", right: true}, {name: "ALERTS"}, {name: "REASON"},
		}}

		for _, l := range letters {
			alerts := strings.Join(l.Alerts, " ")
			if n := len(l.Alerts); n > 1 {
				alerts = fmt.Sprintf("%s and %d more", l.Alerts[0], n-1)
			}

			t.add(l.ID, l.Receiver, l.At.UTC().Format(time.RFC3339), strconv.FormatUint(uint64(l.Attempts), 10), alerts, l.Reason)
		}

		return t.write(w)
	}
}

func (a *app) deadLettersResendCommand() *cobra.Command {
	var (
		receiver string
		all      bool
	)

	cmd := &cobra.Command{
		Use: "resend [ID...]", Short: "Send notifications again that were given up",
		Args:    arguments(0, maxResend, "ids of dead letters"),
		Example: "  hale dead-letters resend 5f0c2e7c51c24b1d8f31a6e0b7a4c9d2\n  hale dead-letters resend --receiver on-call",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) > 0) == (receiver != "" || all) || (receiver != "" && all) {
				return usageError("name ids, or --receiver, or --all")
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.ResendDeadLetters(ctx, &adminv1.ResendDeadLettersRequest{LetterIds: args, Receiver: receiver})
				if err != nil {
					return fmt.Errorf("sending dead letters again: %w", err)
				}

				v := struct {
					Resent int32 `json:"resent"`
				}{r.GetResent()}

				return a.printer().one(v, func(w io.Writer) error {
					t := table{columns: []column{{name: "RESENT", right: true}}}
					t.add(strconv.Itoa(int(v.Resent)))

					return t.write(w)
				})
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&receiver, "receiver", "", "all of this receiver")
	cmd.Flags().BoolVar(&all, "all", false, "all")

	return cmd
}
