package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

func (w *world) report(account, quarter string, format healthv1.ReportFormat) (*healthv1.GetReportResponse, error) {
	return w.health().GetReport(w.as(access.RoleViewer), &healthv1.GetReportRequest{
		AccountId: account, Quarter: quarter, Format: format,
	})
}

// reported is a world whose acme has rows from 2025-12-20 to 2026-03-10.
func reported(t *testing.T) *world {
	t.Helper()

	w := start(t, openMemory(t))
	w.score(home, "acme", noonOf(2025, 12, 20), 0, usedBy("ann", "report"), profiled("acme", &eventv1.Account{
		Name: new("Acme <b>"), ArrMicros: new(int64(12_000e6)), Currency: new("USD"),
	}))
	w.score(home, "acme", noonOf(2026, 2, 1), 0, opened("t"))
	w.score(home, "acme", noon(), 0)

	return w
}

func TestTheQuarterOfAReport(t *testing.T) {
	t.Parallel()

	w := reported(t)

	for quarter, want := range map[string]struct {
		name, from, to string
		first, last    string // of the weeks
		compared       string // from
	}{
		"":        {"2026-Q1", "2026-01-01", "2026-03-10", "2026-01-04", "2026-03-10", "2025-12-31"},
		"2026-Q1": {"2026-Q1", "2026-01-01", "2026-03-10", "2026-01-04", "2026-03-10", "2025-12-31"},
		"2025-Q4": {"2025-Q4", "2025-10-01", "2025-12-31", "2025-12-21", "2025-12-31", "2025-12-20"},
		"2025-Q3": {"2025-Q3", "2025-07-01", "2025-09-30", "", "", ""},
		"1969-Q4": {"1969-Q4", "1969-10-01", "1969-12-31", "", "", ""},
		"1969-Q2": {"1969-Q2", "1969-04-01", "1969-06-30", "", "", ""},
	} {
		t.Run("the quarter "+quarter, func(t *testing.T) {
			t.Parallel()

			got, err := w.report("acme", quarter, healthv1.ReportFormat_REPORT_FORMAT_UNSPECIFIED)
			require.NoError(t, err)
			require.Empty(t, got.GetDocument(), "none was asked for")

			r := got.GetReport()
			require.Equal(t, []string{want.name, want.from, want.to}, []string{r.GetQuarter(), r.GetFromDate(), r.GetToDate()})
			require.Equal(t, "Acme <b>", r.GetProfile().GetName())
			require.Equal(t, int64(1), r.GetFacts().GetTicketsOpen())

			if want.first == "" {
				require.Empty(t, r.GetWeeks())
				require.Nil(t, r.GetComparison())

				return
			}

			require.Equal(t, want.first, r.GetWeeks()[0].GetDay())
			require.Equal(t, want.last, r.GetWeeks()[len(r.GetWeeks())-1].GetDay())
			require.Equal(t, want.compared, r.GetComparison().GetFrom().GetDay())
			require.Equal(t, want.last, r.GetComparison().GetTo().GetDay())
			requireSum(t, r.GetComparison())
		})
	}
}

func TestAReportIsWritten(t *testing.T) {
	t.Parallel()

	w := reported(t)

	markdown, err := w.report("acme", "", healthv1.ReportFormat_REPORT_FORMAT_MARKDOWN)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(markdown.GetDocument(), "# Acme \\<b\\>: business review 2026-Q1\n"))
	require.Contains(t, markdown.GetDocument(), "ARR: 12000 USD.")
	require.Contains(t, markdown.GetDocument(), "| 2026-02-01 | ")

	html, err := w.report("acme", "", healthv1.ReportFormat_REPORT_FORMAT_HTML)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(html.GetDocument(), "<!DOCTYPE html>"))
	require.Contains(t, html.GetDocument(), "<h1>Acme &lt;b&gt;: business review 2026-Q1</h1>")
	require.Contains(t, html.GetDocument(), "<polyline points=")
}

func TestReportsThatCannotBe(t *testing.T) {
	t.Parallel()

	w := reported(t)

	_, err := w.report("nobody", "", 0)
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")

	_, err = w.report("acme", "2026-Q2", 0)
	require.Equal(t, []string{"quarter"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"), "it has not begun")

	for _, quarter := range []string{"2026-Q5", "2026-Q0", "2026", "2026-Q1x", "26-Q1"} {
		_, err = w.report("acme", quarter, 0)
		require.Equal(t, []string{"quarter"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"), quarter)
	}
}
