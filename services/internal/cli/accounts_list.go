package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// maxPage is the most the query service returns at once.
const maxPage = 1000

func (a *app) accountsListCommand() *cobra.Command {
	var (
		q       = &healthv1.ListAccountsRequest{}
		limit   int
		columns string
	)

	cmd := &cobra.Command{
		Use: "list", Short: "List accounts with their scores", Args: arguments(0, 0, "no arguments"),
		Example: "  hale accounts list --limit 10\n" +
			"  hale accounts list --filter 'band = critical AND renewal_days < 90' --order-by worklist\n" +
			"  hale accounts list --columns account_id,score,score_change_7d,nps,traits.region -o jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			chosen, err := parseFields(columns)
			if err != nil {
				return err
			}

			q.ReadMask = maskOf(chosen)
			if len(chosen) == 0 && a.printer().format != formatTable {
				q.ReadMask = &fieldmaskpb.FieldMask{Paths: []string{"*"}} // programs get all fields
			}

			q.CountTotal = limit > 0

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				accounts, total, err := listAccounts(ctx, c, q, limit)
				if err != nil {
					return err
				}

				if len(accounts) < int(total) {
					a.sayf("%d of %d accounts", len(accounts), total)
				}

				return a.printAccounts(accounts, chosen)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().IntVar(&limit, "limit", 0, "at most this many; 0: all")
	cmd.Flags().StringVar(&q.Filter, "filter", "", "which accounts, such as `band = critical AND arr > 50000`; empty: all")
	cmd.Flags().StringVar(&q.OrderBy, "order-by", "",
		"up to 5 fields or worklist, comma-separated, each with ` desc` behind; empty: score")
	cmd.Flags().StringVar(&columns, "columns", "",
		"fields to show, comma-separated, such as account_id,score,nps,traits.region; empty: the usual ones, and all in JSON and YAML")
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

// printAccounts prints the fields chosen; else the usual ones for people, and all for programs.
func (a *app) printAccounts(accounts []*healthv1.AccountSummary, chosen []field) error {
	if len(chosen) > 0 {
		rows := make([]map[string]any, 0, len(accounts))
		for _, s := range accounts {
			rows = append(rows, viewFields(s, chosen))
		}

		return many(a.printer(), rows, drawFields(accounts, chosen))
	}

	rows := views(accounts, viewListed)

	return many(a.printer(), rows, drawAccounts(rows))
}

// listAccounts reads pages until it has limit accounts (0: all).
func listAccounts(
	ctx context.Context, c healthv1.HealthServiceClient, q *healthv1.ListAccountsRequest, limit int,
) (accounts []*healthv1.AccountSummary, total int32, err error) {
	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(accounts))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListAccounts(ctx, q)
		if err != nil {
			return nil, 0, fmt.Errorf("listing accounts: %w", err)
		}

		total = max(total, r.GetTotalSize())
		q.CountTotal = false // once is enough
		accounts = append(accounts, r.GetAccounts()...)

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(accounts) >= limit) {
			return accounts, total, nil
		}
	}
}

func drawAccounts(accounts []listedView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "ACCOUNT"},
			{name: "NAME"},
			{name: "SCORE", right: true},
			{name: "BAND"},
			{name: "STAGE"},
			{name: "COVERAGE", right: true},
			{name: "ARR", right: true},
			{name: ""},
			{name: "PLAN"},
			{name: "OWNER"},
		}}

		for _, s := range accounts {
			t.add(s.AccountID, s.Name, optional(s.Score, 1), s.Band, s.Stage, decimal(s.Coverage, 0)+"%",
				optional(s.ARR, 0), s.Currency, s.Plan, s.Owner)
		}

		return t.write(w)
	}
}
