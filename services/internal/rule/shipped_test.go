package rule_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// course is an account on its way through a rule: it fires, stays as it is, and is resolved.
type course struct{ fires, stays, resolved account }

func renewing(days, score int64) account {
	return account{known: 7, renewal: &days, score: points(score)}
}

func in(band string) account { return account{known: 7, band: band} }

func measuring(m scorecard.Measure, v int64) account {
	return account{known: 7, measures: map[scorecard.Measure]int64{m: v}}
}

func changing(points int64) account { return account{changes: map[int32]int64{7: points}} }

// onboarding is an account with milestones done, and days since it was seen; fewer than 0: not known.
func onboarding(age, milestones, days int64) account {
	a := account{stage: "onboarding", age: age, known: 7, measures: map[scorecard.Measure]int64{}}
	if milestones >= 0 {
		a.measures[scorecard.Milestones] = milestones
	}
	if days >= 0 {
		a.measures[scorecard.DaysSinceSeen] = days
	}
	return a
}

func growing(band string, score, users, trend int64) account {
	return account{stage: "steady", band: band, score: points(score), measures: map[scorecard.Measure]int64{
		scorecard.ActiveUsers: users, scorecard.UsageTrend: trend,
	}}
}

func ticketing(week, month int64) account {
	return account{tickets: week, measures: map[scorecard.Measure]int64{scorecard.TicketVolume: month}}
}

// courses of the shipped rules on accounts.
func courses() map[string]course {
	return map[string]course{
		"band_critical":      {in("critical"), in("unknown"), in("at_risk")},
		"band_at_risk":       {in("at_risk"), in("unknown"), in("steady")},
		"score_drop":         {changing(-15), changing(-14), changing(-7)},
		"inactive":           {measuring(scorecard.DaysSinceSeen, 14), measuring(scorecard.DaysSinceSeen, 4), measuring(scorecard.DaysSinceSeen, 3)},
		"usage_drop":         {measuring(scorecard.UsageTrend, -40), measuring(scorecard.UsageTrend, -39), measuring(scorecard.UsageTrend, -19)},
		"logins_declining":   {measuring(scorecard.LoginTrend, -30), measuring(scorecard.LoginTrend, -29), measuring(scorecard.LoginTrend, -9)},
		"urgent_ticket_open": {account{urgent: 24}, account{urgent: 5}, account{}},
		"ticket_spike":       {ticketing(6, 12), ticketing(4, 12), ticketing(2, 12)},
		"detractor":          {account{detractors: 1}, account{detractors: 2}, account{}},
		"renewal_at_risk":    {renewing(90, 59), renewing(20, 62), renewing(20, 66)},
		"champion_gone":      {measuring(scorecard.ChampionSeen, 21), measuring(scorecard.ChampionSeen, 8), measuring(scorecard.ChampionSeen, 7)},
		"onboarding_stalled": {onboarding(14, 49, 0), onboarding(20, 60, 2), onboarding(20, 75, 3)},
		"expansion_ready":    {growing("healthy", 85, 80, 0), growing("steady", 75, 70, 5), growing("steady", 75, 64, 5)},
		"advocate": {
			account{band: "healthy", promoters: 1}, account{band: "steady", promoters: 1}, account{band: "at_risk", promoters: 1},
		},
	}
}

func TestShippedRulesFireAndResolve(t *testing.T) {
	t.Parallel()
	set, all := rule.Shipped(), courses()
	ended := func(r *rule.Rule, s rule.Subject) bool {
		when, _ := r.When(s)
		holds, known, given := r.Resolve(s)
		return !when && (holds || !known || !given)
	}
	for _, r := range set.Rules {
		if r.OnSource {
			continue
		}
		c, ok := all[r.Name]
		require.True(t, ok, "%s has no course", r.Name)
		delete(all, r.Name)
		t.Run(r.Name+" fires, waits behind its gap, and is resolved", func(t *testing.T) {
			t.Parallel()
			require.True(t, r.InScope(c.fires))
			holds, known := r.When(c.fires)
			require.True(t, holds && known)
			require.False(t, ended(r, c.fires))
			require.False(t, ended(r, c.stays))
			require.True(t, ended(r, c.resolved))
			_, _, given := r.Resolve(c.resolved)
			require.True(t, given, "every shipped rule says when it ends")
		})
	}
	require.Empty(t, slices.Collect(maps.Keys(all)))
}

func TestShippedRulesInParticular(t *testing.T) {
	t.Parallel()
	set := rule.Shipped()
	when := func(name string, a account) bool {
		holds, _ := set.Rule(name).When(a)
		return holds
	}
	t.Run("critical is at risk too, and holds it back", func(t *testing.T) {
		t.Parallel()
		require.True(t, when("band_at_risk", in("critical")))
		require.Equal(t, []string{"band_critical"}, set.Rule("band_at_risk").InhibitedBy)
	})
	t.Run("silence is no sign where the account is new to Hale", func(t *testing.T) {
		t.Parallel()
		for name, a := range map[string]account{
			"band_critical": in("critical"), "band_at_risk": in("critical"), "inactive": measuring(scorecard.DaysSinceSeen, 400),
			"renewal_at_risk": renewing(30, 35), "onboarding_stalled": onboarding(20, 0, 20),
		} {
			require.True(t, when(name, a), name)
			a.known = 6
			require.False(t, when(name, a), name)
		}
	})
	t.Run("many tickets are no spike where there are always many", func(t *testing.T) {
		t.Parallel()
		require.False(t, when("ticket_spike", ticketing(10, 40)))
		require.False(t, when("ticket_spike", ticketing(4, 4)), "few are none")
	})
	t.Run("a renewal that has passed keeps its alert until there is a new date", func(t *testing.T) {
		t.Parallel()
		holds, known, _ := set.Rule("renewal_at_risk").Resolve(renewing(-5, 50))
		require.True(t, !holds && known)
		holds, _, _ = set.Rule("renewal_at_risk").Resolve(renewing(360, 50))
		require.True(t, holds)
	})
	t.Run("onboarding without milestones stalls by silence alone", func(t *testing.T) {
		t.Parallel()
		require.True(t, when("onboarding_stalled", onboarding(20, -1, 7)))
		require.False(t, when("onboarding_stalled", onboarding(20, -1, 6)))
		require.False(t, when("onboarding_stalled", onboarding(13, 0, 13)), "the first two weeks are given")
		holds, known, _ := set.Rule("onboarding_stalled").Resolve(onboarding(20, -1, 3))
		require.True(t, holds && known)
		require.False(t, set.Rule("onboarding_stalled").InScope(account{stage: "steady"}))
	})
	t.Run("a detractor of this week makes no advocate", func(t *testing.T) {
		t.Parallel()
		require.False(t, when("advocate", account{band: "healthy", promoters: 3, detractors: 1}))
	})
	t.Run("a silent source is told for every source", func(t *testing.T) {
		t.Parallel()
		for _, source := range rule.Sources() {
			require.True(t, set.Rule("source_silent").SourceWhen(source, true))
			require.False(t, set.Rule("source_silent").SourceWhen(source, false))
		}
	})
	t.Run("rules that measure what a source brings are held by its silence", func(t *testing.T) {
		t.Parallel()
		for name, sources := range map[string][]string{
			"inactive": {"usage", "login"}, "usage_drop": {"usage"}, "logins_declining": {"login"},
			"champion_gone": {"usage", "login"}, "urgent_ticket_open": {"ticket"}, "ticket_spike": {"ticket"},
		} {
			require.Equal(t, sources, set.Rule(name).Sources, name)
		}
	})
	t.Run("opportunities are information", func(t *testing.T) {
		t.Parallel()
		for _, r := range set.Rules {
			require.Equal(t, r.Opportunity, r.Severity == rule.SeverityInfo, r.Name)
		}
	})
	t.Run("nothing fires for an account without data", func(t *testing.T) {
		t.Parallel()
		for _, r := range set.Rules {
			require.False(t, when(r.Name, account{stage: "steady", band: "unknown"}), r.Name)
		}
	})
}

func TestShipped(t *testing.T) {
	t.Parallel()
	first := rule.Shipped()
	require.Same(t, first, rule.Shipped(), "it is parsed once")
	clear(rule.ShippedDocument())
	require.Contains(t, string(rule.ShippedDocument()), "kind: rules")
	require.Zero(t, rule.Shipped().Version)
	require.Len(t, rule.ShippedDigest(), 8)
}
