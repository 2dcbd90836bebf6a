package health_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// fullProfile sets every field.
func fullProfile() *eventv1.Event {
	return account(func(a *eventv1.Account) {
		text := func(s string) *string { return &s }
		arr, count, days := int64(12_345_678_901), int64(40), int32(180)
		a.Name, a.Plan, a.Currency, a.Owner = text("Acme"), text("pro"), text("EUR"), text("jo")
		a.Segment, a.Industry, a.Parent, a.Stage = text("smb"), text("toys"), text("holding"), text("adopting")
		a.ArrMicros, a.Seats, a.TermDays = &arr, &count, &days
		a.RenewalDate, a.CreatedDate, a.ChurnDate = text("2026-12-31"), text("2024-02-29"), text("2030-01-01")
		a.Traits = []*eventv1.Trait{
			{Name: "z", Value: &eventv1.Trait_Flag{Flag: true}},
			{Name: "a", Value: &eventv1.Trait_Text{Text: "text"}},
			{Name: "n", Value: &eventv1.Trait_NumberMicros{NumberMicros: -1 << 63}},
		}
	})
}

func TestProfile(t *testing.T) {
	t.Parallel()
	arr := int64(12_345_678_901)
	want := health.Profile{
		Name: "Acme", Plan: "pro", ARR: &arr, Currency: "EUR", Seats: 40, RenewalDate: "2026-12-31", TermDays: 180,
		CreatedDate: "2024-02-29", Owner: "jo", Segment: "smb", Industry: "toys", Parent: "holding", Stage: "adopting",
		ChurnDate: "2030-01-01",
		Traits: []health.Trait{
			{Name: "a", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: "text"}},
			{Name: "n", Trait: scorecard.Trait{Kind: scorecard.TraitNumber, Micros: -1 << 63}},
			{Name: "z", Trait: scorecard.Trait{Kind: scorecard.TraitFlag, Flag: true}},
		},
	}
	t.Run("holds every field, stored or not", func(t *testing.T) {
		t.Parallel()
		a := apply(t, health.New(), on(1, fullProfile()))
		require.Equal(t, want, a.Profile())
		require.Equal(t, want, again(t, a).Profile())
		a.SetLive()
		require.Equal(t, want, again(t, a).Profile())
	})
	t.Run("loses every field that is cleared", func(t *testing.T) {
		t.Parallel()
		a := apply(t, health.New(), on(1, fullProfile()), on(0, cleared("name", "plan", "arr", "currency", "seats",
			"renewal_date", "term_days", "created_date", "owner", "segment", "industry", "parent", "stage", "churn_date",
			"traits.a", "traits.n", "traits.z", "traits.never")))
		require.Equal(t, health.Profile{}, a.Profile())
		require.Equal(t, health.Profile{}, again(t, a).Profile())
		require.Nil(t, a.Apply(fullProfile(), (today()-1).Start()), "an older event")
		require.Equal(t, health.Profile{}, again(t, a).Profile())
	})
	t.Run("takes the greater message id at equal times", func(t *testing.T) {
		t.Parallel()
		for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
			a := health.New()
			for _, id := range order {
				ev := account(func(p *eventv1.Account) { p.Name = &id })
				ev.MessageId = id
				a = again(t, a)
				require.Nil(t, a.Apply(ev, today().Start()))
			}
			require.Equal(t, "b", a.Profile().Name)
		}
	})
	t.Run("sets what the same event clears", func(t *testing.T) {
		t.Parallel()
		ev := fullProfile()
		ev.GetAccount().Clear = []string{"name", "traits.a"}
		require.Equal(t, want, apply(t, health.New(), on(1, ev)).Profile())
	})
}

func TestTheStateOfALoadIsKept(t *testing.T) {
	t.Parallel()
	a := health.New()
	require.False(t, a.Begun())
	a.Begin(today())
	a.Begin(today() + 5)
	require.Equal(t, today(), a.Day())
	a.SetLoad("load-1")
	a.SetLoadTime(today().Start() + 5)
	b := again(t, a)
	require.True(t, b.Begun())
	require.Equal(t, today(), b.Day())
	require.Equal(t, "load-1", b.Load())
	require.Equal(t, today().Start()+5, b.LoadTime())
	require.False(t, b.Live())
	b.SetLoad("")
	b.SetLive()
	b = again(t, b)
	require.Empty(t, b.Load())
	require.Equal(t, today().Start()+5, b.LoadTime())
	require.True(t, b.Live())
}

func TestSizeGrowsWithTheState(t *testing.T) {
	t.Parallel()
	a := health.New()
	empty := a.Size()
	apply(t, a, repeated(1000, func(i int) fact { return on(i%20, login(string(rune('A'+i)))) })...)
	require.Greater(t, a.Size(), empty+1000*40)
	require.Less(t, a.Size(), empty+1000*100)
}

// withCondition is the shipped document with another condition of its first scorecard.
func withCondition(when string) []byte {
	return bytes.Replace(scorecard.ShippedDocument(), []byte(`when: stage == "onboarding"`), []byte("when: '"+when+"'"), 1)
}

func TestConditionsSeeTheAccount(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(), on(1, fullProfile()), on(1, usage("u", "f")))
	for _, when := range []string{
		`stage == "adopting"`, `profile.name == "Acme"`, `profile.arr == 12345.678901`, `profile.seats == 40.0`,
		`profile.term_days == 180.0`, `profile.created_date == "2024-02-29"`, `profile.renewal_date > "2026-01-01"`,
		`profile.traits.a == "text"`, `profile.traits.z == true`, `age_days == 852`,
		`measures.features_used == 1.0`, `!has(measures.nps)`, `!has(measures.open_tickets)`,
	} {
		set, err := scorecard.Parse(withCondition(when))
		require.NoError(t, err, when)
		a.Evaluate(set)
		require.Equal(t, "onboarding", a.Result().Card, when)
	}
	set, err := scorecard.Parse(withCondition(`profile.owner == "someone else"`))
	require.NoError(t, err)
	a.Evaluate(set)
	require.Equal(t, "standard", a.Result().Card)
}
