package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// reportMode lets only the user read a report: it is about a customer.
const reportMode = 0o600

func (a *app) reportCommand() *cobra.Command {
	var (
		q            = &healthv1.GetReportRequest{}
		format, file string
	)

	cmd := &cobra.Command{
		Use: "report ACCOUNT", Short: "Write the business review of an account over a quarter",
		Args:    arguments(1, 1, "the account's id"),
		Example: "  hale report acme --quarter 2026-Q3\n  hale report acme --format html --out acme.html",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			var known bool
			if q.Format, known = reportFormat(format); !known {
				return usageError("--format %q: must be markdown, html or json", format)
			}

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.GetReport(ctx, q)
				if err != nil {
					return fmt.Errorf("reading the report of account %q: %w", q.GetAccountId(), err)
				}

				return a.writeReport(r, file)
			})
		},
	}
	a.flags(cmd, connectFlags()...)
	cmd.Flags().StringVar(&q.Quarter, "quarter", "", "the quarter, like 2026-Q3; empty: the present one")
	cmd.Flags().StringVar(&format, "format", "markdown", "markdown, html or json")
	cmd.Flags().StringVar(&file, "out", "", "file to write to; empty: standard output")

	return cmd
}

func reportFormat(name string) (healthv1.ReportFormat, bool) {
	switch name {
	case "markdown":
		return healthv1.ReportFormat_REPORT_FORMAT_MARKDOWN, true
	case "html":
		return healthv1.ReportFormat_REPORT_FORMAT_HTML, true
	case "json":
		return healthv1.ReportFormat_REPORT_FORMAT_UNSPECIFIED, true
	default:
		return 0, false
	}
}

// writeReport writes a report to a file, or to standard output.
func (a *app) writeReport(r *healthv1.GetReportResponse, file string) error {
	text := r.GetDocument()

	if text == "" {
		v, err := viewMessage(r.GetReport())
		if err != nil {
			return err
		}

		text = string(v) + "\n"
	}

	if file == "" {
		_, err := io.WriteString(a.io.Out, text)

		return err //nolint:wrapcheck // a failed write to stdout says it all
	}

	if err := os.WriteFile(file, []byte(text), reportMode); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}

	a.sayf("written to %s", file)

	return nil
}
