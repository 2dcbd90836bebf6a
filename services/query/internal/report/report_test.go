package report_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/query/internal/report"
)

// update writes the golden files anew: go test ./query/internal/report -update.
var update = flag.Bool("update", false, "write the golden files anew")

// hostile is a name that means something to HTML, to Markdown and to its tables.
const hostile = "<script>alert('x')</script> | a *b* [c](javascript:d) `e` &amp;\n# f"

// whole is a report with everything in it, and hostile names wherever senders choose them.
func whole() *healthv1.Report {
	return &healthv1.Report{
		AccountId: "acme", Quarter: "2026-Q1", FromDate: "2026-01-01", ToDate: "2026-03-10",
		AsOf: timestamppb.New(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)),
		Profile: &healthv1.Profile{
			Name: hostile, Owner: hostile, Plan: hostile, Arr: new(12_000.5), Currency: hostile, RenewalDate: "2026-09-01",
		},
		Comparison: &healthv1.CompareHealthResponse{
			From:   &healthv1.ScorePoint{Day: "2025-12-31", Score: new(71.25), Band: healthv1.Band_BAND_STEADY},
			To:     &healthv1.ScorePoint{Day: "2026-03-10", Score: new(50.0), Band: healthv1.Band_BAND_AT_RISK},
			Change: new(-21.25), ScorecardChange: 0.5,
			Dimensions: []*healthv1.DimensionChange{
				{Name: "adoption", Change: -22, Measures: []*healthv1.MeasureChange{
					{Name: "features_used", Unit: "features", Change: -22, FromValue: new(5.0), ToValue: new(3.0), Drivers: []*healthv1.Driver{
						{Kind: healthv1.Driver_KIND_FEATURE_STOPPED, Text: hostile + " was used for the last time on 2026-02-01"},
						{Kind: healthv1.Driver_KIND_USER_STOPPED, Text: "told twice"},
					}},
					{Name: "stickiness", Unit: "percent", Change: -0.01, ToValue: new(-0.04), Drivers: []*healthv1.Driver{{Text: "told twice"}}},
					{Name: "usage_trend", Unit: "percent", Drivers: []*healthv1.Driver{{Text: "what changed nothing is not told"}}},
				}},
				{Name: "sentiment", Change: 0.25, Measures: []*healthv1.MeasureChange{
					{Name: "nps", Unit: "percent", Change: 0.25, ToValue: new(50.0)},
				}},
			},
		},
		Weeks: []*healthv1.HistoryRow{
			{Day: "2026-01-04", Score: new(70.0), Band: healthv1.Band_BAND_STEADY, Stage: healthv1.Stage_STAGE_ADOPTING},
			{Day: "2026-01-11", Band: healthv1.Band_BAND_UNKNOWN, Stage: healthv1.Stage_STAGE_ADOPTING},
			{Day: "2026-01-18", Score: new(50.0), Band: healthv1.Band_BAND_AT_RISK, Stage: healthv1.Stage_STAGE_RENEWAL},
		},
		Facts: facts(),
	}
}

func facts() *healthv1.Facts {
	return &healthv1.Facts{
		UsersSeen: 3, UsersUnseen: 2, FeaturesUsed: 3, FeaturesStopped: 1, LastSeenDate: "2026-03-09",
		Features: []*healthv1.FeatureFact{
			{Feature: "chart", LastDate: "2026-03-09"}, {Feature: hostile, LastDate: "2026-02-01", Stopped: true},
		},
		FeaturesUnused:     []string{hostile, "b", "c", "d", "e", "f", "g", "h", "i", "j", "not named", "nor this"},
		MoreFeaturesUnused: 3, DaysToFirstValue: new(int32(0)),
		Milestones: []*healthv1.MilestoneFact{
			{Feature: "chart", DueDate: "2026-01-10", ReachedDate: "2026-01-01"}, {Feature: hostile, DueDate: "2026-02-10"},
		},
		TicketsOpen: 2,
		OpenTickets: []*healthv1.TicketFact{
			{TicketId: hostile, Severity: "urgent", Escalated: true, Points: 20}, {TicketId: "t", Severity: "low", Points: 1},
		},
		Surveys: []*healthv1.SurveyFact{{Type: "nps", Answers: 2, Favorable: 1, Unfavorable: 1}, {Type: "ces", Answers: 2, Mean: new(4.5)}},
		Pulse:   &healthv1.PulseFact{Pulse: 2, Author: hostile, Note: hostile},
		Goals: []*healthv1.Goal{
			{Title: hostile, Measure: "nps", Target: 50, Value: new(20.0), DueDate: "2026-06-30", State: healthv1.Goal_STATE_OPEN, Progress: 40},
			{Title: "faster", Measure: "resolution_hours", AtMost: true, Target: 8, DueDate: "2026-01-31", State: healthv1.Goal_STATE_MISSED},
			{Title: "adopt", Feature: hostile, DueDate: "2026-06-30", State: healthv1.Goal_STATE_ACHIEVED, Progress: 100},
		},
	}
}

// golden compares with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()

	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}

	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// requireWellFormed reads a page as strictly as XML is, and returns how often each element is in it.
func requireWellFormed(t *testing.T, page string) map[string]int {
	t.Helper()

	d := xml.NewDecoder(strings.NewReader(page))
	elements := map[string]int{}

	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}

		require.NoError(t, err)

		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()

	w, err := report.NewWriter()
	require.NoError(t, err)

	for name, r := range map[string]*healthv1.Report{
		"whole": whole(),
		"new": {
			AccountId: "acme", Quarter: "2026-Q1", FromDate: "2026-01-01", ToDate: "2026-03-10",
			Profile: &healthv1.Profile{}, Facts: &healthv1.Facts{},
		},
	} {
		t.Run(name+" as Markdown", func(t *testing.T) {
			t.Parallel()

			text, err := w.Markdown(r)
			require.NoError(t, err)
			golden(t, name+".md", text)
			require.NotRegexp(t, `(^|[^\\])[<*\[]`, text, "all that means something is escaped")
			require.NotContains(t, text, "\n# f", "a name is on one line")
		})
		t.Run(name+" as HTML", func(t *testing.T) {
			t.Parallel()

			page, err := w.HTML(r)
			require.NoError(t, err)
			golden(t, name+".html", page)

			elements := requireWellFormed(t, page)
			require.Zero(t, elements["script"])
			require.Equal(t, 1, elements["h1"])
			require.Equal(t, 7, elements["h2"])
		})
	}
}

func TestTablesOfMarkdownAreRectangles(t *testing.T) {
	t.Parallel()

	w, err := report.NewWriter()
	require.NoError(t, err)
	text, err := w.Markdown(whole())
	require.NoError(t, err)

	columns, tables := 0, 0

	for line := range strings.Lines(text) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")

		switch {
		case !strings.HasPrefix(line, "|"):
			require.Zero(t, n, line)

			columns = 0
		case columns == 0:
			columns = n
			tables++
		default:
			require.Equal(t, columns, n, line)
		}
	}

	require.Equal(t, 6, tables)
}
