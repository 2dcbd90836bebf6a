package cli

import (
	"fmt"
	"io"
	"strconv"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// drawAccount writes what stands at the top of an account's page, and its dimensions.
func drawAccount(h *healthv1.AccountHealth) func(io.Writer) error {
	return func(w io.Writer) error {
		if err := drawHeading(w, h); err != nil {
			return err
		}

		t := table{columns: []column{
			{name: "DIMENSION"},
			{name: "SCORE", right: true},
			{name: "WEIGHT", right: true},
			{name: "CONTRIBUTION", right: true},
		}}

		for _, d := range h.GetDimensions() {
			t.add(d.GetName(), optional(d.Score, 1), decimal(d.GetWeight(), 0), decimal(d.GetContribution(), 2))
		}

		return t.write(w)
	}
}

// drawExplanation writes every measure with what it adds; the last line is their sum, which
// is the score.
func drawExplanation(h *healthv1.AccountHealth) func(io.Writer) error {
	return func(w io.Writer) error {
		if err := drawHeading(w, h); err != nil {
			return err
		}

		t := explanationTable(h)

		return t.write(w)
	}
}

func explanationTable(h *healthv1.AccountHealth) table {
	t := table{columns: []column{
		{name: "DIMENSION"},
		{name: "MEASURE"},
		{name: "VALUE", right: true},
		{name: "UNIT"},
		{name: "WINDOW", right: true},
		{name: "POINTS", right: true},
		{name: "WEIGHT", right: true},
		{name: "CONTRIBUTION", right: true},
	}}

	for _, d := range h.GetDimensions() {
		t.add(d.GetName(), "", "", "", "", optional(d.Score, 1), decimal(d.GetWeight(), 0),
			decimal(d.GetContribution(), microDigits))

		for _, m := range d.GetMeasures() {
			t.add("", m.GetName(), optional(m.Value, 1), m.GetUnit(), window(m.GetWindowDays()),
				optional(m.Points, 1), decimal(m.GetWeight(), 0), decimal(m.GetContribution(), microDigits))
		}
	}

	t.add(sumName(h), "", "", "", "", "", "", optional(h.ComputedScore, microDigits))

	return t
}

// narrow puts the measures under their dimensions, into the same column: so the table fits on 80 columns.
func (t *table) narrow() table {
	n := table{columns: t.columns[1:]}

	for _, row := range t.rows {
		name := row[0]
		if name == "" {
			name = "  " + row[1]
		}

		n.add(append([]string{name}, row[2:]...)...)
	}

	return n
}

// sumName is what contributions add up to: the score, unless there is another one by hand.
func sumName(h *healthv1.AccountHealth) string {
	if h.GetOverride() != nil {
		return "computed score"
	}

	return "score"
}

// microDigits are the digits of a micro: contributions add up to the last of them.
const microDigits = 6

func window(days int32) string {
	if days == 0 {
		return noData
	}

	return strconv.Itoa(int(days)) + "d"
}

func drawHeading(w io.Writer, h *healthv1.AccountHealth) error {
	name := printable(h.GetAccountId())
	if n := h.GetProfile().GetName(); n != "" && n != h.GetAccountId() {
		name += " (" + printable(n) + ")"
	}

	about := ""
	if h.GetApproximate() {
		about = ", sizes estimated"
	}

	_, err := fmt.Fprintf(w, "%s\nscore %s, %s\n%scoverage %s%%%s\nstage %s, scorecard %s version %d\n%sas of %s\n\n",
		name, optional(h.Score, 1), bandName(h.GetBand()), byHand(h), decimal(h.GetCoverage(), 0), about,
		stageName(h.GetStage()), h.GetScorecard(), h.GetScorecardVersion(), childrenLine(h.GetChildren()),
		timeText(h.GetAsOf()))

	return err //nolint:wrapcheck // a failed write to stdout says it all
}

// childrenLine says how the accounts under a parent are; empty: there are none.
func childrenLine(c *healthv1.Children) string {
	if c == nil {
		return ""
	}

	line := "children " + strconv.Itoa(int(c.GetAccounts())) + ", score " + optional(c.Score, 1)
	if c.GetWorstAccountId() != "" {
		line += ", worst " + printable(c.GetWorstAccountId()) + " " + optional(c.WorstScore, 1)
	}

	return line + "\n"
}

// byHand says that a score was set by hand, by whom and why, and what the computed one is; empty: it was not.
func byHand(h *healthv1.AccountHealth) string {
	o := h.GetOverride()
	if o == nil {
		return ""
	}

	return fmt.Sprintf("  set by hand by %s, until %s: %s\ncomputed score %s, %s\n",
		printable(o.GetAuthor()), o.GetExpireDate(), printable(o.GetReason()),
		optional(h.ComputedScore, 1), bandName(h.GetComputedBand()))
}
