package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// lone is the rule of a document with that condition.
func lone(t *testing.T, when string) *rule.Rule {
	t.Helper()
	set, err := rule.Parse([]byte("rules:\n  - name: a\n    summary: s\n    severity: info\n    when: |\n      " + when))
	require.NoError(t, err)
	return set.Rules[0]
}

// acme has a bit of everything.
func acme() account {
	renewal := int64(30)
	return account{
		stage: "renewal", band: "at_risk", age: 400, score: points(55), coverage: 80 * one, renewal: &renewal,
		text:    map[string]string{"plan": "gold", "segment": "smb", "name": "Acme"},
		numbers: map[string]int64{"arr": 120_000_500_000},
		traits:  map[string]scorecard.Trait{"tier": {Kind: scorecard.TraitText, Text: "one"}},
		moved:   map[scorecard.Measure]int64{scorecard.NPS: -30},
		measures: map[scorecard.Measure]int64{
			scorecard.NPS: -20, scorecard.DaysSinceSeen: 3, scorecard.TicketVolume: 12,
		},
		dimensions: [5]scorecard.Value{points(40), {}, points(90)},
		changes:    map[int32]int64{1: -2, 7: -16, 30: 5}, urgent: 30, tickets: 9, detractors: 1, promoters: 2,
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	type result struct{ holds, known bool }
	yes, no, unknown := result{true, true}, result{false, true}, result{false, false}
	for when, want := range map[string]result{
		`score < 60`:                            yes,
		`score == 55.0`:                         yes,
		`score > 55.5`:                          no,
		`60 > score`:                            yes,
		`band == "at_risk"`:                     yes,
		`band in ["critical", "healthy"]`:       no,
		`band != "healthy" && coverage >= 80`:   yes,
		`stage == "renewal" && age_days == 400`: yes,
		`age_days < 400.5`:                      yes,
		`profile.plan == "gold" && profile.arr > 120000.25`:  yes,
		`profile.traits.tier == "one"`:                       yes,
		`profile.traits.size == 5`:                           unknown,
		`measures.nps < -19.5`:                               yes,
		`measures.csat < 50`:                                 unknown,
		`!(measures.csat < 50)`:                              unknown,
		`measures.csat < 50 || score < 60`:                   yes,
		`measures.csat < 50 && score > 60`:                   no,
		`measures.csat < 50 || score > 60`:                   unknown,
		`has(measures.csat)`:                                 no,
		`has(measures.csat) && measures.csat < 50`:           no,
		`"nps" in measures && !("csat" in measures)`:         yes,
		`dimensions.adoption < dimensions.support`:           yes,
		`dimensions.engagement < 50`:                         unknown,
		`has(dimensions.engagement)`:                         no,
		`measure_changes.nps <= -30`:                         yes,
		`measure_changes.csat < 0`:                           unknown,
		`has(measure_changes.csat) || measures.nps < 0`:      yes,
		`score_change_1d < 0 && score_change_7d <= -15`:      yes,
		`score_change_14d < 0`:                               unknown,
		`score_change_30d > 0`:                               yes,
		`renewal_days <= 90 && urgent_ticket_hours >= 24`:    yes,
		`tickets_7d >= 5 && nps_detractors_7d > 0`:           yes,
		`nps_promoters_30d == 2`:                             yes,
		`tickets_7d * 2 > 17`:                                yes,
		`measures.ticket_volume / 2.0 < 9.0`:                 yes,
		`double(tickets_7d) * 2.0 >= measures.ticket_volume`: yes,
		`dimensions.exists(d, dimensions[d] < 50.0)`:         yes,
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			holds, known := lone(t, when).When(acme())
			require.Equal(t, want, result{holds, known})
		})
	}
	t.Run("without a renewal date nothing is known of the days until then", func(t *testing.T) {
		t.Parallel()
		holds, known := lone(t, "renewal_days < 90").When(account{})
		require.False(t, holds)
		require.False(t, known)
	})
	t.Run("a score that is not known is below nothing", func(t *testing.T) {
		t.Parallel()
		holds, known := lone(t, "score < 90").When(account{})
		require.False(t, holds)
		require.False(t, known)
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	set, err := rule.Parse([]byte(minimal))
	require.NoError(t, err)
	holds, known, given := set.Rule("first").Resolve(account{score: points(41)})
	require.True(t, holds && known && given)
	holds, known, given = set.Rule("first").Resolve(account{score: points(40)})
	require.True(t, !holds && known && given)
	holds, known, given = set.Rule("first").Resolve(account{})
	require.True(t, !holds && !known && given)
	_, _, given = set.Rule("second").Resolve(account{})
	require.False(t, given)
}

func TestInScope(t *testing.T) {
	t.Parallel()
	set, err := rule.Parse([]byte(minimal))
	require.NoError(t, err)
	in := func(plan, stage string) bool {
		return set.Rule("first").InScope(account{stage: stage, text: map[string]string{"plan": plan}})
	}
	require.True(t, in("gold", "steady"))
	require.True(t, in("gold", "renewal"))
	require.False(t, in("gold", "onboarding"))
	require.False(t, in("Gold", "steady"))
	require.False(t, in("", "steady"))
	require.True(t, set.Rule("second").InScope(account{}), "a rule without a scope looks at all")
}

func TestSourceWhen(t *testing.T) {
	t.Parallel()
	set, err := rule.Parse([]byte(minimal))
	require.NoError(t, err)
	third := set.Rule("third")
	require.True(t, third.SourceWhen("usage", true))
	require.False(t, third.SourceWhen("usage", false))
	require.False(t, third.SourceWhen("survey", true))

	holds, known := third.When(acme())
	require.False(t, holds || known, "it is about no account")
	require.False(t, set.Rule("first").SourceWhen("usage", true), "it is about no source")
}

//nolint:paralleltest // what others allocate would count
func TestWhenAllocatesNothing(t *testing.T) {
	subject := rule.Subject(acme())
	for _, r := range rule.Shipped().Rules {
		if r.Name == "ticket_spike" { // it computes, which CEL's interpreter does
			continue
		}
		require.Zero(t, testing.AllocsPerRun(10, func() {
			r.When(subject)
			r.Resolve(subject)
			r.InScope(subject)
		}), r.Name)
	}
}

// cheap is a subject that costs nothing itself.
type cheap struct{ *account }

func (cheap) ProfileText(string) string                       { return "" }
func (cheap) Measure(scorecard.Measure) scorecard.Value       { return points(1) }
func (cheap) MeasureChange(scorecard.Measure) scorecard.Value { return points(-1) }
func (cheap) ScoreChange(int32) scorecard.Value               { return points(1) }
func (cheap) Dimension(int) scorecard.Value                   { return points(1) }
func (cheap) RenewalDays() (int64, bool)                      { return 30, true }
func (c cheap) Score() scorecard.Value                        { return c.score }
func (c cheap) Band() string                                  { return c.band }
func (c cheap) Stage() string                                 { return c.stage }
func (c cheap) AgeDays() int64                                { return c.age }
func (c cheap) KnownDays() int64                              { return c.known }
func (c cheap) UrgentTicketHours() int64                      { return c.urgent }
func (c cheap) TicketsOpened(int32) int64                     { return c.tickets }
func (c cheap) Detractors(int32) int64                        { return c.detractors }
func (c cheap) Promoters(int32) int64                         { return c.promoters }

func BenchmarkShipped(b *testing.B) {
	a := acme()
	set, subject := rule.Shipped(), rule.Subject(cheap{&a})
	for _, computed := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "computed"}[computed], func(b *testing.B) {
			b.ReportAllocs()
			rules := 0
			for b.Loop() {
				for _, r := range set.Rules {
					if (r.Name == "ticket_spike") == computed && r.InScope(subject) {
						r.When(subject)
						r.Resolve(subject)
						rules++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rules), "ns/rule")
		})
	}
}

func BenchmarkParseShipped(b *testing.B) {
	doc := rule.ShippedDocument()
	for b.Loop() {
		_, err := rule.Parse(doc)
		require.NoError(b, err)
	}
}
