package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// maxResend is the most ids that one request may name.
const maxResend = 10000

func (a *app) rejectsCommand() *cobra.Command {
	return parent("rejects", "Look at refused events and send them again: list, resend",
		a.rejectsListCommand(), a.rejectsResendCommand())
}

func (a *app) rejectsListCommand() *cobra.Command {
	var (
		code  string
		limit int
	)

	cmd := &cobra.Command{
		Use: "list", Short: "List refused events, newest first", Args: arguments(0, 0, "no arguments"),
		Example: "  hale rejects list --code too_old\n  hale rejects list -o jsonl | jq -r .body",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				rejects, err := listRejects(ctx, c, code, limit)
				if err != nil {
					return err
				}

				return many(a.printer(), rejects, drawRejects(rejects))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&code, "code", "", "only this reason code")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most this many; 0: all")

	return cmd
}

func listRejects(ctx context.Context, c healthv1.HealthServiceClient, code string, limit int) ([]rejectView, error) {
	q := &healthv1.ListRejectsRequest{Code: code}

	var rejects []rejectView

	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(rejects))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListRejects(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing rejects: %w", err)
		}

		for _, one := range r.GetRejects() {
			rejects = append(rejects, viewReject(one))
		}

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(rejects) >= limit) {
			return rejects, nil
		}
	}
}

func drawRejects(rejects []rejectView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "ID", right: true},
			{name: "REJECTED AT"},
			{name: "CODE"},
			{name: "FIELD"},
			{name: "ACCOUNT"},
			{name: "MESSAGE ID"},
			{name: "ORIGIN"},
			{name: "MESSAGE"},
		}}

		for _, r := range rejects {
			t.add(strconv.FormatUint(r.ID, 10), seconds(r.RejectedAt), r.Code, r.Field, r.AccountID, r.MessageID, r.Origin, r.Message)
		}

		return t.write(w)
	}
}

// admin calls f with a client of the admin service.
func (a *app) admin(ctx context.Context, f func(context.Context, adminv1.AdminServiceClient) error) error {
	conn, err := a.settings.dial(access.RoleAdmin)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close() }() // the answer is there

	return f(ctx, adminv1.NewAdminServiceClient(conn))
}

func (a *app) rejectsResendCommand() *cobra.Command {
	var (
		code string
		all  bool
	)

	cmd := &cobra.Command{
		Use: "resend [ID...]", Short: "Send refused events again, by id or by reason code",
		Args:    arguments(0, maxResend, "ids of rejects"),
		Example: "  hale rejects resend 17 18\n  hale rejects resend --code unknown_user",
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := resendRequest(args, code, all)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.ResendRejects(ctx, q)
				if err != nil {
					return fmt.Errorf("sending rejects again: %w", err)
				}

				return a.resent(r)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&code, "code", "", "those with this reason code")
	cmd.Flags().BoolVar(&all, "all", false, "all")

	return cmd
}

func resendRequest(args []string, code string, all bool) (*adminv1.ResendRejectsRequest, error) {
	chosen := 0

	for _, yes := range []bool{len(args) > 0, code != "", all} {
		if yes {
			chosen++
		}
	}

	if chosen != 1 {
		return nil, usageError("name ids, or --code, or --all")
	}

	q := &adminv1.ResendRejectsRequest{Code: code}

	for _, arg := range args {
		id, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || id == 0 {
			return nil, usageError("%q is not the id of a reject", arg)
		}

		q.Ids = append(q.Ids, id)
	}

	return q, nil
}

func (a *app) resent(r *adminv1.ResendRejectsResponse) error {
	v := struct {
		Accepted int32  `json:"accepted"`
		Refused  int32  `json:"refused"`
		Token    string `json:"token"`
	}{r.GetAccepted(), r.GetRefused(), r.GetToken()}

	err := a.printer().one(v, func(w io.Writer) error {
		t := table{columns: []column{{name: "ACCEPTED", right: true}, {name: "REFUSED", right: true}, {name: "TOKEN"}}}
		t.add(strconv.Itoa(int(v.Accepted)), strconv.Itoa(int(v.Refused)), v.Token)

		return t.write(w)
	})
	if err == nil && v.Refused > 0 {
		return refused("%s refused again (`hale rejects list` says why)", count(int(v.Refused), "event"))
	}

	return err
}
