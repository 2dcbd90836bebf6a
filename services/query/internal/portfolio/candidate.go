package portfolio

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// From these values on measures count as high.
const (
	highSeatUse = 80 * fixed.One
	highGrowth  = 10 * fixed.One
	highNPS     = 50 * fixed.One
	highCSAT    = 90 * fixed.One
)

func high(r *column.Row, m scorecard.Measure, from column.Number) bool {
	v := measure(r, m)

	return v.Known() && v >= from
}

// healthy says whether an account is in the best band.
func healthy(r *column.Row) bool { return r.ScoreKnown && r.Band == healthv1.Band_BAND_HEALTHY }

// expansion says whether an account may buy more: it is healthy, and uses nearly all its seats or uses more and more.
func expansion(r *column.Row) bool {
	return healthy(r) && (high(r, scorecard.ActiveUsers, highSeatUse) || high(r, scorecard.UsageTrend, highGrowth))
}

// signs counts what speaks for an expansion.
func signs(r *column.Row) (n int) {
	if high(r, scorecard.ActiveUsers, highSeatUse) {
		n++
	}

	if high(r, scorecard.UsageTrend, highGrowth) {
		n++
	}

	return n
}

func compareExpansions(currency string) func(a, b *column.Row) int {
	best := compareReferences(currency)

	return func(a, b *column.Row) int { return cmp.Or(cmp.Compare(signs(b), signs(a)), best(a, b)) }
}

// reference says whether an account may speak for the product: it is healthy and steady, its people are content in
// every survey that has answers, and no ticket as grave as an urgent one is open.
func reference(r *column.Row) bool {
	if !healthy(r) || r.Stage != healthv1.Stage_STAGE_STEADY || high(r, scorecard.OpenTickets, urgentPoints*fixed.One) {
		return false
	}

	nps, csat := measure(r, scorecard.NPS), measure(r, scorecard.CSAT)
	if !nps.Known() && !csat.Known() {
		return false
	}

	return (!nps.Known() || nps >= highNPS) && (!csat.Known() || csat >= highCSAT)
}

// compareReferences puts the highest score first, then the larger arr.
func compareReferences(currency string) func(a, b *column.Row) int {
	return func(a, b *column.Row) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), compareARR(a, b, currency), strings.Compare(a.Account, b.Account))
	}
}

func candidateFigures(rows []*column.Row, currency string, why func(*column.Row) []string) []*healthv1.Candidate {
	out := make([]*healthv1.Candidate, len(rows))
	for i, r := range rows {
		out[i] = &healthv1.Candidate{
			AccountId: r.Account, Name: r.Name, Score: fixed.Float(r.Score), Arr: arrFigure(r, currency),
			Owner: r.Owner, Reasons: why(r),
		}
	}

	return out
}

// whole writes a number without decimals.
func whole(v column.Number) string {
	return strconv.FormatInt(fixed.MulDiv(int64(v), 1, fixed.One), 10)
}

func expansionReasons(r *column.Row) []string {
	var why []string

	if high(r, scorecard.ActiveUsers, highSeatUse) {
		why = append(why, whole(measure(r, scorecard.ActiveUsers))+" % of the seats were active in 28 days")
	}

	if high(r, scorecard.UsageTrend, highGrowth) {
		why = append(why, fmt.Sprintf("a week's usage is %s %% above that of the four weeks before",
			whole(measure(r, scorecard.UsageTrend))))
	}

	return append(why, "healthy, score "+whole(column.Number(r.Score)))
}

func referenceReasons(r *column.Row) []string {
	why := []string{"healthy, score " + whole(column.Number(r.Score))}

	if v := measure(r, scorecard.NPS); v.Known() {
		why = append(why, "NPS "+whole(v))
	}

	if v := measure(r, scorecard.CSAT); v.Known() {
		why = append(why, "CSAT "+whole(v)+" %")
	}

	return append(why, "no urgent ticket is open")
}
