package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

type compareView struct {
	From            pointView             `json:"from"`
	To              pointView             `json:"to"`
	Change          *float64              `json:"change"`
	ScorecardChange float64               `json:"scorecard_change"`
	Dimensions      []dimensionChangeView `json:"dimensions"`
	AsOf            string                `json:"as_of"`
}

type pointView struct {
	Day       string   `json:"day"`
	Score     *float64 `json:"score"`
	Band      string   `json:"band"`
	Stage     string   `json:"stage"`
	Scorecard string   `json:"scorecard"`
	Version   uint64   `json:"scorecard_version"`
}

type dimensionChangeView struct {
	Name     string              `json:"name"`
	Change   float64             `json:"change"`
	Measures []measureChangeView `json:"measures"`
}

type measureChangeView struct {
	Name        string       `json:"name"`
	Unit        string       `json:"unit"`
	Change      float64      `json:"change"`
	FromValue   *float64     `json:"from_value"`
	ToValue     *float64     `json:"to_value"`
	Drivers     []driverView `json:"drivers"`
	MoreDrivers int32        `json:"more_drivers"`
}

type driverView struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject,omitempty"`
	Day     string `json:"day,omitempty"`
	Text    string `json:"text"`
}

func (a *app) accountsCompareCommand() *cobra.Command {
	q := &healthv1.CompareHealthRequest{}

	cmd := &cobra.Command{
		Use: "compare ID", Short: "Show why an account's score changed between two days",
		Args:    arguments(1, 1, "the account's id"),
		Example: "  hale accounts compare acme\n  hale accounts compare acme --from 2026-07-01 --to 2026-09-30",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.CompareHealth(ctx, q)
				if err != nil {
					return fmt.Errorf("comparing two days of account %q: %w", q.GetAccountId(), err)
				}

				v := viewCompare(r)

				return a.printer().one(v, drawCompare(q.GetAccountId(), v))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&q.FromDate, "from", "", "the earlier day, YYYY-MM-DD; empty: 7 days before the later one")
	cmd.Flags().StringVar(&q.ToDate, "to", "", "the later day, YYYY-MM-DD; empty: today")
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

func viewCompare(r *healthv1.CompareHealthResponse) *compareView {
	v := &compareView{
		From: viewPoint(r.GetFrom()), To: viewPoint(r.GetTo()), Change: r.Change, //nolint:protogetter // nil is told from 0
		ScorecardChange: r.GetScorecardChange(), Dimensions: []dimensionChangeView{}, AsOf: timeText(r.GetAsOf()),
	}

	for _, d := range r.GetDimensions() {
		dv := dimensionChangeView{Name: d.GetName(), Change: d.GetChange(), Measures: []measureChangeView{}}

		for _, m := range d.GetMeasures() {
			mv := measureChangeView{
				Name: m.GetName(), Unit: m.GetUnit(), Change: m.GetChange(), FromValue: m.FromValue, ToValue: m.ToValue,
				Drivers: []driverView{}, MoreDrivers: m.GetMoreDrivers(),
			}

			for _, d := range m.GetDrivers() {
				mv.Drivers = append(mv.Drivers, driverView{
					Kind: enumName(d.GetKind().String(), "KIND_"), Subject: d.GetSubject(), Day: d.GetDay(), Text: d.GetText(),
				})
			}

			dv.Measures = append(dv.Measures, mv)
		}

		v.Dimensions = append(v.Dimensions, dv)
	}

	return v
}

func viewPoint(p *healthv1.ScorePoint) pointView {
	return pointView{
		Day: p.GetDay(), Score: p.Score, Band: bandName(p.GetBand()), Stage: stageName(p.GetStage()),
		Scorecard: p.GetScorecard(), Version: p.GetScorecardVersion(),
	}
}

// drawCompare writes the change, its parts, which add up to it, and what is behind them.
func drawCompare(account string, v *compareView) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\nfrom %s: score %s, %s\nto   %s: score %s, %s\n\n", printable(account),
			v.From.Day, optional(v.From.Score, 1), v.From.Band, v.To.Day, optional(v.To.Score, 1), v.To.Band)
		if err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}

		t := table{columns: []column{
			{name: "DIMENSION"},
			{name: "MEASURE"},
			{name: "FROM", right: true},
			{name: "TO", right: true},
			{name: "UNIT"},
			{name: "CHANGE", right: true},
		}}

		for _, d := range v.Dimensions {
			t.add(d.Name, "", "", "", "", signed(d.Change))

			for _, m := range d.Measures {
				t.add("", m.Name, optional(m.FromValue, 1), optional(m.ToValue, 1), m.Unit, signed(m.Change))
			}
		}

		if v.ScorecardChange != 0 {
			t.add("scorecard", "", "", "", "", signed(v.ScorecardChange))
		}

		total := noData
		if v.Change != nil {
			total = signed(*v.Change)
		}

		t.add("change", "", "", "", "", total)

		if err := t.write(w); err != nil {
			return err
		}

		return drawDrivers(w, v)
	}
}

// drawDrivers writes what is behind the measures that changed the score.
func drawDrivers(w io.Writer, v *compareView) error {
	heading := "\n"

	for _, d := range v.Dimensions {
		for _, m := range d.Measures {
			for _, text := range m.driverTexts() {
				if _, err := fmt.Fprintf(w, "%s%s: %s\n", heading, m.Name, printable(text)); err != nil {
					return err //nolint:wrapcheck // a failed write to stdout says it all
				}

				heading = ""
			}
		}
	}

	return nil
}

// driverTexts are the lines about a measure; none if it changed nothing.
func (m *measureChangeView) driverTexts() []string {
	if m.Change == 0 {
		return nil
	}

	var texts []string
	for _, d := range m.Drivers {
		texts = append(texts, d.Text)
	}

	if m.MoreDrivers > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", m.MoreDrivers))
	}

	return texts
}

// signed writes a change with its sign, to the last micro.
func signed(v float64) string {
	text := decimal(v, microDigits)
	if v > 0 {
		text = "+" + text
	}

	return text
}
