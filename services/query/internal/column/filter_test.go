package column_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// day is a day of the calendar.
func day(t testing.TB, text string) health.Day {
	t.Helper()

	d, ok := health.ParseDay(text)
	require.True(t, ok, text)

	return d
}

// blank is a row without values.
func blank(account string) *column.Row {
	r := &column.Row{
		Account: account, Renewal: column.NoDay, Created: column.NoDay, Churn: column.NoDay, First: column.NoDay,
		LastSeen: column.NoDay, Computed: column.None,
		Change1: column.None, Change7: column.None, Change30: column.None,
	}
	for i := range r.Dimensions {
		r.Dimensions[i] = column.None
	}

	for i := range r.Measures {
		r.Measures[i] = column.None
	}

	return r
}

// acme is a row with a bit of everything.
func acme(t testing.TB) *column.Row {
	t.Helper()

	r := blank("acme-1")
	r.Name, r.Owner, r.Segment, r.Plan, r.Parent = "Acme Röntgen GmbH", "kim@example.com", "enterprise", "Gold", "acme"
	r.Day = day(t, "2026-03-01")
	r.Score, r.ScoreKnown, r.Computed, r.Overridden = 35_500_000, true, 50_000_000, true
	r.Band, r.ComputedBand = healthv1.Band_BAND_CRITICAL, healthv1.Band_BAND_AT_RISK
	r.Stage, r.Coverage, r.Seats, r.Card = healthv1.Stage_STAGE_RENEWAL, 80_000_000, 25, "standard"
	r.ARR, r.ARRKnown, r.Currency = 50_000_000_000, true, "EUR"
	r.Renewal, r.Created, r.First = day(t, "2026-03-31"), day(t, "2025-03-01"), day(t, "2025-04-01")
	r.Change7, r.Change1 = -12_250_000, 0
	r.Dimensions[0] = 20_000_000
	r.Measures[scorecard.NPS] = -10_000_000
	r.Traits = []health.Trait{
		{Name: "region", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: "EMEA"}},
		{Name: "employees", Trait: scorecard.Trait{Kind: scorecard.TraitNumber, Micros: 250_000_000}},
		{Name: "beta user", Trait: scorecard.Trait{Kind: scorecard.TraitFlag, Flag: true}},
		{Name: "a.b", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: "5"}},
	}

	return r
}

func TestFilterMatches(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "band = critical", "band = CRITICAL", "band:critical", `band = "critical"`, "band != healthy", "band < at_risk",
		"band <= critical", "computed_band >= at_risk", "stage = renewal", "stage > adopting", "band:*",
		"score = 35.5", "score = 35.500000", "score = 3.55e1", "score < 36", "score <= 35.5", "score > 35.4999999",
		"score != 35.4999999", "score >= 35.5", "score:*", "computed_score = 50", "coverage >= 80",
		"overridden = true", "overridden != false", "overridden:true", "NOT overridden = false",
		"owner = kim@example.com", `owner = "kim@example.com"`, "owner = 'kim@example.com'", "owner = kim@*",
		"owner = *@example.com", "owner = *EXAMPLE* OR owner = *example*", "owner:EXAMPLE", "owner != sam", "owner:*",
		"plan = Gold", "plan = G*", "plan > Bronze", "plan >= Gold", "plan <= Gold", "plan < H", `plan = "*"`,
		"NOT industry:*", "NOT industry = software", "NOT (industry != software)", "-industry:*", "currency = EUR",
		"parent = acme", "scorecard = standard", "account_id = acme-1", "account_id = acme-*",
		"arr = 50000", "arr > 49999.99", "arr < 1e12", "arr < 1e300", "arr > -1e300", "arr_at_risk = 32250",
		"seats = 25", "seats < 30", "renewal_date = 2026-03-31", `renewal_date <= "2026-03-31"`, "renewal_date > 2026-01-01",
		"renewal_days = 30", "renewal_days <= 30", "age_days = 365", "created_date:*", "NOT churn_date:*",
		"first_date = 2025-04-01", "NOT last_seen_date:*", "score_change_7d < -10", "score_change_7d = -12.25",
		"score_change_1d = 0", "NOT score_change_30d < 0", "NOT score_change_30d >= 0",
		"dimensions.adoption < 40", "adoption = 20", "NOT engagement:*", "nps < 0", "measures.nps = -10", "NOT csat:*",
		"traits.region = EMEA", "traits.region:emea", `traits.region = "E*"`, "traits.region != APAC", "traits.region:*",
		"traits.employees > 100", "traits.employees = 250", "traits.employees <= 250.0", "traits.employees != 3",
		`traits."beta user" = true`, `traits."beta user" != false`, "traits.a.b = 5", "traits.a.b:5", `traits.a.b = "5"`,
		"NOT traits.none:*", "NOT traits.none = x", "NOT traits.none != x",
		"acme", "ACME", "röntgen", "RÖNTGEN", `"Röntgen GmbH"`, "gmbh acme", "acme*", "NOT globex", "-globex",
		"band = critical AND arr > 40000", "band = critical arr > 40000", "band = healthy OR band = critical",
		"band = critical AND band = healthy OR arr > 0", // OR binds tighter
		"(band = healthy AND arr > 0) OR plan = Gold", "NOT (band = healthy OR plan = Silver)",
		"-(band = healthy)", `-"globex"`, "((((band = critical))))", "band=critical AND(arr>0)", "  band = critical  \n",
	} {
		f, err := column.ParseFilter(text, nil)
		require.NoError(t, err, text)
		require.True(t, f.Match(acme(t)), text)
		require.Equal(t, text, f.String())
	}
}

func TestFilterDoesNotMatch(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"band = healthy", "band != critical", "band > critical", "stage < renewal", "score < 35.5", "score > 35.5",
		"score = 35.4999999", "score <= 35.4999999", "score = 1e300", "overridden = false", "owner = KIM@example.com",
		"owner = kim", "owner = *kim", "industry = software", "industry != software", "industry:soft", "industry < z",
		"industry <= z", "industry > a", "industry:*", `industry = "*"`, "industry:x", "plan < Gold", "plan > Gold",
		"arr = 1", "arr > 1e300", "arr < -1e300", "arr >= 1e300", "renewal_days < 30", "churn_date != 2026-01-01",
		"score_change_30d != 5", "score_change_30d < 5", "score_change_30d > -5", "engagement < 5", "engagement != 5",
		"traits.region = emea", `traits.employees = "250"`, "traits.employees = 2*", `traits."beta user" > false`,
		`traits."beta user" = "true"`, "traits.region > 5000 AND traits.region < 6000", "traits.none:*", "traits.none != x",
		"traits.region = 5", "traits.region = true", "globex", "NOT acme", "-acme", "NOT band = critical",
		"band = critical AND arr > 50000", "band = healthy OR arr > 50000", "NOT (band = critical OR plan = Silver)",
		"band = healthy AND arr > 0 OR plan = Gold",
	} {
		f, err := column.ParseFilter(text, nil)
		require.NoError(t, err, text)
		require.False(t, f.Match(acme(t)), text)
	}
}

func TestNothingIsMoreOrLessThanAnUnknownBand(t *testing.T) {
	t.Parallel()

	r := blank("a")
	r.Band = healthv1.Band_BAND_UNKNOWN

	for text, want := range map[string]bool{
		"band = unknown": true, "band:*": true, "band != critical": true, "band < healthy": false, "band >= critical": false,
		"computed_band:*": false, "stage:*": false,
	} {
		f, err := column.ParseFilter(text, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, f.Match(r), text)
	}
}

func TestFilterErrors(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		text, code string
		offset     int
	}{
		{"band =", column.CodeSyntax, 6},
		{"= 5", column.CodeSyntax, 0},
		{"(band = critical", column.CodeSyntax, 16},
		{"band = critical)", column.CodeSyntax, 15},
		{"()", column.CodeSyntax, 1},
		{"NOT", column.CodeSyntax, 3},
		{"NOT" + " NOT a", column.CodeSyntax, 4},
		{"--a", column.CodeSyntax, 1},
		{"a AND", column.CodeSyntax, 5},
		{"AND a", column.CodeSyntax, 0},
		{"a OR" + " OR b", column.CodeSyntax, 5},
		{"a - b", column.CodeSyntax, 2},
		{"score ! 5", column.CodeSyntax, 6},
		{"score = (5)", column.CodeSyntax, 8},
		{"score = AND", column.CodeSyntax, 8},
		{`name = "abc`, column.CodeSyntax, 7},
		{`"name" = abc`, column.CodeSyntax, 0},
		{`""`, column.CodeSyntax, 0},
		{"a, b", column.CodeSyntax, 1},
		{"name = \xff", column.CodeSyntax, 7},
		{"name = \x00", column.CodeSyntax, 7},
		{"in_segment(a", column.CodeSyntax, 12},
		{"in_segment()", column.CodeSyntax, 11},
		{"mood = bad", column.CodeField, 0},
		{"score > 5 AND traits. = 3", column.CodeField, 14},
		{"dimensions.mood = 3", column.CodeField, 0},
		{"band = good", column.CodeType, 7},
		{"band < unknown", column.CodeType, 7},
		{"stage = 5", column.CodeType, 8},
		{"score = high", column.CodeType, 8},
		{"score = 5*", column.CodeType, 8},
		{"overridden = yes", column.CodeType, 13},
		{"overridden < true", column.CodeType, 13},
		{"renewal_date < 5", column.CodeType, 15},
		{"renewal_date < 2026-02-30", column.CodeType, 15},
		{`owner = ""`, column.CodeType, 8},
		{`traits.x = ""`, column.CodeType, 11},
		{"now()", column.CodeSyntax, 4},
		{"now(x)", column.CodeFunction, 0},
		{`in_segment("none")`, column.CodeSegment, 11},
		{strings.Repeat("a ", 2049), column.CodeLong, 4096},
		{strings.Repeat("(", 40), column.CodeDeep, 32},
		{strings.Repeat("a ", 600), column.CodeLarge, 1024},
	} {
		_, err := column.ParseFilter(c.text, nil)

		var bad *column.FilterError

		require.ErrorAs(t, err, &bad, c.text)
		require.Equal(t, c.code, bad.Code, c.text)
		require.Equal(t, c.offset, bad.Offset, c.text)
		require.NotEmpty(t, bad.Message)
		require.Contains(t, err.Error(), bad.Message)
	}
}

func TestFilterBySegment(t *testing.T) {
	t.Parallel()

	large, err := column.ParseFilter(strings.TrimSuffix(strings.Repeat("arr > 1 OR ", 300), "OR "), nil)
	require.NoError(t, err)

	named := func(name string) (*column.Filter, bool) {
		switch name {
		case "all":
			return nil, true
		case "large":
			return large, true
		}

		return nil, false
	}

	for text, want := range map[string]bool{
		`in_segment("all")`: true, `NOT in_segment(all)`: false, `in_segment("large")`: true, `-in_segment("large")`: false,
	} {
		f, err := column.ParseFilter(text, named)
		require.NoError(t, err, text)
		require.Equal(t, want, f.Match(acme(t)), text)
	}

	_, err = column.ParseFilter(`in_segment("large") AND in_segment("large")`, named)
	require.ErrorContains(t, err, "more than 512 comparisons")
}

func TestNoFilterWantsAll(t *testing.T) {
	t.Parallel()

	f, err := column.ParseFilter(" \n", nil)
	require.NoError(t, err)
	require.Nil(t, f)
	require.True(t, f.Match(blank("a")))
	require.Empty(t, f.String())
}

func FuzzParseFilter(f *testing.F) {
	for _, text := range []string{
		"band = critical AND arr > 50000", `NOT (traits."a b" : "x*" OR -nps<-5.5)`, `in_segment("a")`, "a 'b' c*",
	} {
		f.Add(text)
	}

	named := func(string) (*column.Filter, bool) { return nil, true }

	f.Fuzz(func(t *testing.T, text string) {
		made, err := column.ParseFilter(text, named)
		if err == nil {
			made.Match(acme(t))
			made.Match(blank("b"))

			return
		}

		var bad *column.FilterError

		require.ErrorAs(t, err, &bad)
		require.NotEmpty(t, bad.Code)
		require.GreaterOrEqual(t, bad.Offset, 0)
		require.LessOrEqual(t, bad.Offset, len(text))
	})
}
