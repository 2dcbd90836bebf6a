package portfolio_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

// same compares lists of messages.
func same[T proto.Message](t require.TestingT, want, got []T, what string) {
	text := func(all []T) string {
		var b strings.Builder
		for _, m := range all {
			fmt.Fprintln(&b, protojson.Format(m))
		}

		return b.String()
	}

	require.Len(t, got, len(want), what+"\n%s\ninstead of\n%s", text(got), text(want))

	for i := range want {
		require.True(t, proto.Equal(want[i], got[i]), what+"\n%s\ninstead of\n%s", protojson.Format(got[i]), protojson.Format(want[i]))
	}
}

// sum adds the rows in parts that are merged.
func (g *generated) sum(parts int) *healthv1.GetPortfolioResponse {
	all := portfolio.New(g.options)

	for part := range parts {
		s := portfolio.New(g.options)

		for i := part; i < len(g.rows); i += parts {
			s.Add(g.rows[i].row())
		}

		all.Merge(s)
	}

	return all.Figures()
}

func TestFiguresAgreeWithANaiveSum(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		got := g.sum(rapid.IntRange(1, 3).Draw(t, "parts"))
		there := filtered(g.rows, func(r *subject) bool { return !isChurned(r) })

		same(t, []*healthv1.Group{g.group("", there)}, []*healthv1.Group{got.GetTotal()}, "total")
		same(t, g.groupsBy(there, func(r *subject) string { return r.Segment }), got.GetSegments(), "segments")
		same(t, g.groupsBy(there, func(r *subject) string { return r.Owner }), got.GetOwners(), "owners")

		var bands, stages []*healthv1.Group

		for _, b := range []health.Band{health.BandCritical, health.BandAtRisk, health.BandSteady, health.BandHealthy} {
			bands = append(bands, g.group(b.String(), filtered(there, func(r *subject) bool { return health.Band(r.Band) == b })))
		}

		bands = append(bands, g.group("unknown", filtered(there, func(r *subject) bool { return r.Band <= healthv1.Band_BAND_UNKNOWN })))
		same(t, bands, got.GetBands(), "bands")

		for i, name := range []string{"onboarding", "adopting", "steady", "renewal", ""} {
			some := filtered(there, func(r *subject) bool { return int(r.Stage) == (i+1)%5 })
			if name != "" || len(some) > 0 {
				stages = append(stages, g.group(name, some))
			}
		}

		same(t, stages, got.GetStages(), "stages")
		same(t, g.movements(), got.GetMovements(), "movements")
		same(t, g.renewals(), got.GetRenewals(), "renewals")
		same(t, g.overdue(), got.GetOverdueRenewals(), "overdue renewals")
		require.Equal(t, g.expansions(), brief(got.GetExpansions()), "expansions")
		require.Equal(t, g.references(), brief(got.GetReferences()), "references")
		require.EqualValues(t, len(filtered(g.rows, func(r *subject) bool {
			return r.ARRKnown && r.Currency != g.options.Currency
		})), got.GetOtherCurrencyAccounts())

		g.requireMonths(t, got)
	})
}

func (g *generated) requireMonths(t *rapid.T, got *healthv1.GetPortfolioResponse) {
	var (
		months  []*healthv1.Retention
		cohorts []*healthv1.Cohort
		surveys []*healthv1.SurveyFigure
	)

	for m := g.options.From; m <= g.options.To; m++ {
		months = append(months, g.month(m))

		if c := g.cohort(m); c != nil {
			cohorts = append(cohorts, c)
		}
	}

	for _, segment := range []string{"", "mid", "smb"} {
		for m := g.options.From; m <= g.options.To; m++ {
			if f := g.surveyFigure(segment, m); f != nil {
				surveys = append(surveys, f)
			}
		}
	}

	same(t, months, got.GetMonths(), "months")
	same(t, cohorts, got.GetCohorts(), "cohorts")
	same(t, surveys, got.GetSurveys(), "surveys")
}

func brief(all []*healthv1.Candidate) (ids []string) {
	for _, c := range all {
		ids = append(ids, strings.Join([]string{c.GetAccountId(), c.GetOwner(), fmt.Sprint(c.GetScore()), fmt.Sprint(c.GetArr())}, " "))
	}

	return ids
}

func TestPartsAddUp(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		for _, r := range g.rows { // so that doubles are exact
			r.ARR %= 1 << 40
			for i := range r.Months {
				r.Months[i].ARR.Micros %= 1 << 40
			}
		}

		got := g.sum(2)

		for _, groups := range [][]*healthv1.Group{got.GetBands(), got.GetSegments(), got.GetOwners(), got.GetStages()} {
			var (
				accounts, scored int32
				arr, risk        float64
			)

			for _, one := range groups {
				accounts, scored = accounts+one.GetAccounts(), scored+one.GetScored()
				arr, risk = arr+one.GetArr(), risk+one.GetArrAtRisk()
			}

			require.Equal(t, got.GetTotal().GetAccounts(), accounts)
			require.Equal(t, got.GetTotal().GetScored(), scored)
			require.InDelta(t, got.GetTotal().GetArr(), arr, 1e-5)
			require.InDelta(t, got.GetTotal().GetArrAtRisk(), risk, 1e-5)
		}

		for i, m := range got.GetMonths() {
			closing := m.GetOpeningArr() + m.GetNewArr() + m.GetExpansionArr() - m.GetContractionArr() - m.GetChurnedArr()

			if i+1 < len(got.GetMonths()) {
				require.InDelta(t, got.GetMonths()[i+1].GetOpeningArr(), closing, 1e-4, m.GetMonth())
			} else if g.options.To == health.MonthOf(g.options.Today) {
				now := filtered(g.rows, func(r *subject) bool { return !isChurned(r) && r.Day <= g.options.Today })
				if len(now) == len(filtered(g.rows, func(r *subject) bool { return !isChurned(r) })) {
					require.InDelta(t, got.GetTotal().GetArr(), closing, 1e-4, "this month closes with the arr of now")
				}
			}
		}
	})
}

func TestVotes(t *testing.T) {
	t.Parallel()

	for want, currencies := range map[string][]string{
		"":    {},
		"USD": {"EUR", "USD", "USD"},
		"EUR": {"USD", "", "EUR", "USD", "EUR", ""}, // the first in the alphabet, the unnamed last
	} {
		var a, b portfolio.Votes

		for i, currency := range currencies {
			[]*portfolio.Votes{&a, &b}[i%2].Add(&column.Row{Currency: currency, ARRKnown: true})
			a.Add(&column.Row{Currency: "XXX"})
		}

		a.Merge(&b)
		require.Equal(t, want, a.Winner())
	}
}

func TestManySegmentsAreSummedUp(t *testing.T) {
	t.Parallel()

	s := portfolio.New(portfolio.Options{Currency: "EUR"})
	for i := range int64(1234) {
		s.Add(&column.Row{Account: fmt.Sprint(i), Segment: fmt.Sprint("s", i), ARRKnown: true, ARR: i * 1e6, Currency: "EUR"})
	}

	got := s.Figures().GetSegments()
	require.Len(t, got, 1001)
	require.Equal(t, "s1233", got[0].GetName())
	require.Equal(t, "…", got[1000].GetName())
	require.EqualValues(t, 234, got[1000].GetAccounts())
	require.InDelta(t, 233*234/2, got[1000].GetArr(), 0)
}
