package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func (a *app) portfolioCommand() *cobra.Command {
	var (
		q        = &healthv1.GetPortfolioRequest{}
		sections []string
	)

	cmd := &cobra.Command{
		Use: "portfolio", Short: "Show the figures of the business", Args: arguments(0, 0, "no arguments"),
		Long: "Counts and revenue by band, segment, owner and stage; movement between bands; revenue retention, renewals\n" +
			"and churn by month and cohort; candidates for more business and for references; survey figures.\n" +
			"docs/portfolio.md says how each is made.",
		Example: "  hale portfolio --section groups,retention\n" +
			"  hale portfolio --filter 'segment = smb' --from 2026-01 -o json\n" +
			"  hale portfolio --section renewals --renewal-days 30 --limit 1000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range sections {
				if !slices.Contains(portfolioSections(), s) {
					return usageError("--section %q: must be one of %s", s, strings.Join(portfolioSections(), ", "))
				}
			}

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.GetPortfolio(ctx, q)
				if err != nil {
					return fmt.Errorf("summing up the portfolio: %w", err)
				}

				view := viewPortfolio(r, sections)

				return a.printer().one(view, drawPortfolio(&view))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	portfolioFlags(cmd, q)
	cmd.Flags().StringSliceVar(&sections, "section", nil,
		"which parts: "+strings.Join(portfolioSections(), ", ")+"; empty: all")

	_ = cmd.RegisterFlagCompletionFunc("section",
		cobra.FixedCompletions(portfolioSections(), cobra.ShellCompDirectiveNoFileComp))

	return cmd
}

// fewEntries is how many entries of each list fit on a screen.
const fewEntries = 10

// portfolioFlags are what the request says.
func portfolioFlags(cmd *cobra.Command, q *healthv1.GetPortfolioRequest) {
	f := cmd.Flags()
	f.StringVar(&q.Filter, "filter", "", "which accounts, as in `hale accounts list`; empty: all")
	f.StringVar(&q.FromMonth, "from", "", "first month of retention, cohorts and surveys, YYYY-MM; empty: 11 before the last")
	f.StringVar(&q.ToMonth, "to", "", "last month, YYYY-MM; empty: this one, up to now")
	f.StringVar(&q.Currency, "currency", "", "currency of all sums; empty: the one of most accounts")
	f.Int32Var(&q.MovementDays, "movement-days", 0, "days over which movement between bands is shown, at most 30; 0: 30")
	f.Int32Var(&q.RenewalDays, "renewal-days", 0, "days ahead within which renewals are listed, at most 400; 0: 90")
	f.Int32Var(&q.Limit, "limit", fewEntries, "at most this many entries in each list of accounts; 0: 50")
	atLeastFlag(cmd, &q.AtLeast)
}

// portfolioSections are the parts of the answer, in the order in which they are written.
func portfolioSections() []string {
	return []string{"groups", "movements", "retention", "cohorts", "renewals", "expansions", "references", "surveys"}
}
