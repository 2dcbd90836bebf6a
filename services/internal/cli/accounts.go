package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// maxPage is the most the query service returns at once.
const maxPage = 1000

// readFlags are the settings of every command that reads from the query service.
func readFlags() []string {
	return []string{"data", "client.server", "client.key", "client.timeout", "client.output"}
}

func (a *app) accountsCommand() *cobra.Command {
	return parent("accounts", "Read scores: list, get, explain, facts, history, compare",
		a.accountsListCommand(), a.accountsGetCommand(), a.accountsExplainCommand(), a.accountsFactsCommand(),
		a.accountsHistoryCommand(), a.accountsCompareCommand())
}

func atLeastFlag(cmd *cobra.Command, p *string) {
	cmd.Flags().StringVar(p, "at-least", "", "token of an earlier write: wait until it is in the score")
}

// health calls f with a client of the query service.
func (a *app) health(ctx context.Context, f func(context.Context, healthv1.HealthServiceClient) error) error {
	conn, err := a.settings.dial(access.RoleViewer)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close() }() // the answer is there

	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	return f(ctx, healthv1.NewHealthServiceClient(conn))
}

func (a *app) getHealth(ctx context.Context, account, atLeast string) (*healthv1.AccountHealth, error) {
	var found *healthv1.AccountHealth

	err := a.health(ctx, func(ctx context.Context, c healthv1.HealthServiceClient) error {
		r, err := c.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: account, AtLeast: atLeast})
		if err != nil {
			return fmt.Errorf("reading account %q: %w", account, err)
		}

		found = r.GetHealth()

		return nil
	})

	return found, err
}

func (a *app) accountsGetCommand() *cobra.Command {
	var atLeast string

	cmd := &cobra.Command{
		Use: "get ID", Short: "Show an account's score", Args: arguments(1, 1, "the account's id"),
		Example: "  hale accounts get acme\n  hale accounts get acme -o json | jq .score",
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.getHealth(cmd.Context(), args[0], atLeast)
			if err != nil {
				return err
			}

			return a.printer().one(viewAccount(h), drawAccount(h))
		},
	}
	a.flags(cmd, readFlags()...)
	atLeastFlag(cmd, &atLeast)

	return cmd
}

func (a *app) accountsExplainCommand() *cobra.Command {
	var atLeast string

	cmd := &cobra.Command{
		Use: "explain ID", Short: "Show how each measure adds up to an account's score",
		Args:    arguments(1, 1, "the account's id"),
		Example: "  hale accounts explain acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.getHealth(cmd.Context(), args[0], atLeast)
			if err != nil {
				return err
			}

			return a.printer().one(viewAccount(h), drawExplanation(h))
		},
	}
	a.flags(cmd, readFlags()...)
	atLeastFlag(cmd, &atLeast)

	return cmd
}

func (a *app) accountsHistoryCommand() *cobra.Command {
	q := &healthv1.GetHistoryRequest{}
	weeks := false

	cmd := &cobra.Command{
		Use: "history ID", Short: "Show an account's scores by day or week", Args: arguments(1, 1, "the account's id"),
		Example: "  hale accounts history acme --from 2026-01-01 -o jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]
			if weeks {
				q.Step = healthv1.HistoryStep_HISTORY_STEP_WEEK
			}

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.GetHistory(ctx, q)
				if err != nil {
					return fmt.Errorf("reading the history of account %q: %w", q.GetAccountId(), err)
				}

				rows := make([]historyView, 0, len(r.GetRows()))
				for _, row := range r.GetRows() {
					rows = append(rows, viewHistory(row))
				}

				return many(a.printer(), rows, drawHistory(rows))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&q.FromDate, "from", "", "first day, YYYY-MM-DD; empty: the oldest kept")
	cmd.Flags().StringVar(&q.ToDate, "to", "", "last day, YYYY-MM-DD; empty: today")
	cmd.Flags().BoolVar(&weeks, "weeks", false, "the last day of each week only")
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

func (a *app) accountsListCommand() *cobra.Command {
	var (
		q     = &healthv1.ListAccountsRequest{}
		limit int
	)

	cmd := &cobra.Command{
		Use: "list", Short: "List accounts with their scores", Args: arguments(0, 0, "no arguments"),
		Example: "  hale accounts list --limit 10\n  hale accounts list --order-by 'arr desc' -o jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				accounts, total, err := listAccounts(ctx, c, q, limit)
				if err != nil {
					return err
				}

				if len(accounts) < int(total) {
					a.sayf("%d of %d accounts", len(accounts), total)
				}

				return many(a.printer(), accounts, drawAccounts(accounts))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().IntVar(&limit, "limit", 0, "at most this many; 0: all")
	cmd.Flags().StringVar(&q.OrderBy, "order-by", "", "score, name, arr or account_id, each with ` desc` behind; empty: score")
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

// listAccounts reads pages until it has limit accounts (0: all).
func listAccounts(
	ctx context.Context, c healthv1.HealthServiceClient, q *healthv1.ListAccountsRequest, limit int,
) (accounts []summaryView, total int32, err error) {
	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(accounts))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListAccounts(ctx, q)
		if err != nil {
			return nil, 0, fmt.Errorf("listing accounts: %w", err)
		}

		total = r.GetTotalSize()

		for _, s := range r.GetAccounts() {
			accounts = append(accounts, viewSummary(s))
		}

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(accounts) >= limit) {
			return accounts, total, nil
		}
	}
}

func drawAccounts(accounts []summaryView) func(io.Writer) error {
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

func drawHistory(rows []historyView) func(io.Writer) error {
	return func(w io.Writer) error {
		names := []string{"adoption", "engagement", "support", "sentiment", "relationship"}
		t := table{columns: []column{
			{name: "DAY"}, {name: "SCORE", right: true}, {name: "BAND"}, {name: "STAGE"}, {name: "COVERAGE", right: true},
		}}

		for _, n := range names {
			t.columns = append(t.columns, column{name: strings.ToUpper(n), right: true})
		}

		for _, r := range rows {
			cells := []string{r.Day, optional(r.Score, 1), r.Band, r.Stage, decimal(r.Coverage, 0) + "%"}

			for _, n := range names {
				if v, ok := r.Dimensions[n]; ok {
					cells = append(cells, decimal(v, 1))
				} else {
					cells = append(cells, noData)
				}
			}

			t.add(cells...)
		}

		return t.write(w)
	}
}

// noData stands in tables where there is no number.
const noData = "-"

func optional(v *float64, digits int) string {
	if v == nil {
		return noData
	}

	return decimal(*v, digits)
}

func decimal(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
