package scorecard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
)

// conditional is a set whose first card has a condition.
func conditional(t *testing.T, when string) *scorecard.Set {
	t.Helper()
	set, err := scorecard.Parse([]byte(strings.Replace(minimal, "when: age_days < 30", "when: |\n      "+when, 1)))
	require.NoError(t, err)
	return set
}

func known(micros int64) scorecard.Value { return scorecard.Value{Micros: micros, Known: true} }

// acme has a bit of everything.
func acme() account {
	a := account{
		stage:   "renewal",
		age:     400,
		text:    map[string]string{"name": "Acme GmbH", "plan": "enterprise", "renewal_date": "2026-03-01"},
		numbers: map[string]int64{"arr": 120_000_500_000, "seats": 40_000_000},
		traits: []trait{
			{"beta", scorecard.Trait{Kind: scorecard.TraitFlag, Flag: true}},
			{"fleet", scorecard.Trait{Kind: scorecard.TraitNumber, Micros: 12_500_000}},
			{"tier", scorecard.Trait{Kind: scorecard.TraitText, Text: "gold"}},
		},
		asked: map[scorecard.Measure]int{},
	}
	a.values[scorecard.NPS] = known(-12_500_000)
	a.values[scorecard.LoginDays] = known(0)
	return a
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]bool{
		`stage == "renewal"`:                                                 true,
		`stage in ["steady", "renewal"]`:                                     true,
		`stage != "renewal"`:                                                 false,
		`age_days >= 400 && age_days < 401`:                                  true,
		`age_days > 399.5`:                                                   true,
		`profile.name.startsWith("Acme")`:                                    true,
		`profile.name.matches("^Acme (GmbH|AG)$")`:                           true,
		`profile["plan"] == "enterprise"`:                                    true,
		`profile.plan.size() == 10`:                                          true,
		`profile.arr > 120000.0 && profile.arr < 120001`:                     true,
		`profile.arr == 120000.5`:                                            true,
		`profile.owner == "" && profile.term_days == 0.0`:                    true,
		`has(profile.owner)`:                                                 true, // every field is there, set or not
		`"arr" in profile && size(profile) == 13`:                            true,
		`profile.exists(f, f == "industry")`:                                 true,
		`profile["no" + "thing"] == 1`:                                       false,
		`profile.renewal_date < "2026-04-01"`:                                true,
		`timestamp(profile.renewal_date + "T00:00:00Z").getDayOfWeek() == 0`: true,
		`profile.traits.tier == "gold"`:                                      true,
		`profile.traits["tier"] in ["gold", "silver"]`:                       true,
		`profile.traits.fleet > 12.4 && profile.traits.beta == true`:         true,
		`has(profile.traits.tier) && !has(profile.traits.colour)`:            true,
		`profile.traits.colour == "red"`:                                     false,
		`profile.traits.colour != "red"`:                                     false, // it fails, so it does not hold
		`!(profile.traits.colour == "red")`:                                  false,
		`profile.traits.colour == "red" || stage == "renewal"`:               true,
		`profile.traits.tier > 5.0`:                                          false,
		`profile.traits.map(k, k) == ["beta", "fleet", "tier"]`:              true,
		`size(profile.traits) == 3 && "beta" in profile.traits`:              true,
		`5 in dyn(profile.traits)`:                                           false,
		`has(measures.nps) && measures.nps < 0.0`:                            true,
		`measures.nps < 0`:                                                   true,
		`measures.nps == -12.5`:                                              true,
		`measures["login_days"] == 0.0`:                                      true,
		`has(measures.csat)`:                                                 false,
		`measures.csat < 50.0`:                                               false,
		`!("csat" in measures)`:                                              true,
		`measures.map(m, m) == ["login_days", "nps"]`:                        true,
		`measures.all(m, measures[m] <= 0.0)`:                                true,
		`size(measures) == 2`:                                                true,
		`measures == measures && profile.traits == profile.traits`:           true,
		`dyn(measures) == dyn(profile.traits)`:                               false,
		`dyn(measures) == dyn(1)`:                                            false,
		`type(measures) == map`:                                              true,
		`dyn(measures)[1] == 2`:                                              false,
		`1 / 0 == 1`:                                                         false,
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			selected := conditional(t, when).Select(acme()).Name
			require.Equal(t, want, selected == "young", "%s", selected)
		})
	}
}

func TestConditionsComputeOnlyWhatTheyNeed(t *testing.T) {
	t.Parallel()
	t.Run("a condition on the stage asks for no measure", func(t *testing.T) {
		t.Parallel()
		a := acme()
		conditional(t, `stage == "steady" && measures.nps < 0.0`).Select(a)
		require.Empty(t, a.asked)
	})
}

func TestSelectWithoutConditions(t *testing.T) {
	t.Parallel()
	first := &scorecard.Card{Name: "first"}
	require.Same(t, first, (&scorecard.Set{Cards: []*scorecard.Card{first, {Name: "second"}}}).Select(acme()))
	require.Nil(t, (&scorecard.Set{}).Select(acme()))
}

func BenchmarkSelectMeasures(b *testing.B) {
	set, err := scorecard.Parse([]byte(strings.Replace(minimal, "age_days < 30",
		`has(measures.nps) && measures.nps < -50.0 && profile.traits.tier == "gold"`, 1)))
	require.NoError(b, err)
	a := acme()
	a.asked = nil
	in := scorecard.Subject(a)
	b.ReportAllocs()
	for b.Loop() {
		set.Select(in)
	}
}
