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

// callFlags are the settings by which a command calls any service, connectFlags those for the query service, readFlags
// those of a command that also prints what it reads there.
func callFlags() []string {
	return []string{"data", "client.key", "client.timeout", "client.ca_file", "client.client_cert", "client.client_key"}
}

func connectFlags() []string { return append(callFlags(), "client.server") }

func readFlags() []string { return append(connectFlags(), "client.output") }

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
	return a.healthAs(ctx, access.RoleViewer, f)
}

// decide calls f with a client that may decide about accounts.
func (a *app) decide(ctx context.Context, f func(context.Context, healthv1.HealthServiceClient) error) error {
	return a.healthAs(ctx, access.RoleOperator, f)
}

func (a *app) healthAs(
	ctx context.Context, role access.Role, f func(context.Context, healthv1.HealthServiceClient) error,
) error {
	conn, err := a.settings.dial(role)
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
