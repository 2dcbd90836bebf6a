package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

func renewal(date string) *eventv1.Event {
	return account(func(a *eventv1.Account) { a.RenewalDate = &date })
}

func term(days int32) *eventv1.Event { return account(func(a *eventv1.Account) { a.TermDays = &days }) }

func ownStage(s string) *eventv1.Event { return account(func(a *eventv1.Account) { a.Stage = &s }) }

func TestStages(t *testing.T) {
	t.Parallel()
	marks := []scorecard.Milestone{{Feature: "a", DueDay: 1}, {Feature: "b", DueDay: 90}}
	for name, c := range map[string]struct {
		facts []fact
		marks []scorecard.Milestone
		want  health.Stage
	}{
		"onboarding until day 59":                     {[]fact{on(59, login("u"))}, nil, health.StageOnboarding},
		"adopting from day 60":                        {[]fact{on(60, login("u"))}, nil, health.StageAdopting},
		"adopting until day 179":                      {[]fact{on(179, login("u"))}, nil, health.StageAdopting},
		"steady from day 180":                         {[]fact{on(180, login("u"))}, nil, health.StageSteady},
		"by created date":                             {[]fact{on(0, created("2025-01-01"))}, nil, health.StageSteady},
		"by a created date in the future":             {[]fact{on(300, created("2027-01-01"))}, nil, health.StageOnboarding},
		"by the first event once that is cleared":     {[]fact{on(70, created("2025-01-01")), on(1, cleared("created_date"))}, nil, health.StageAdopting},
		"adopting once all milestones are done":       {[]fact{on(9, usage("", "a")), on(9, usage("", "b"))}, marks, health.StageAdopting},
		"onboarding while a milestone is not done":    {[]fact{on(9, usage("", "a"))}, marks, health.StageOnboarding},
		"adopting on day 60 without the milestones":   {[]fact{on(60, usage("", "a"))}, marks, health.StageAdopting},
		"its own stage":                               {[]fact{on(9, ownStage("steady"))}, nil, health.StageSteady},
		"renewal today":                               {[]fact{on(200, renewal("2026-06-30"))}, nil, health.StageRenewal},
		"renewal in 90 days":                          {[]fact{on(200, renewal("2026-09-28"))}, nil, health.StageRenewal},
		"no renewal in 91 days":                       {[]fact{on(200, renewal("2026-09-29"))}, nil, health.StageSteady},
		"no renewal yesterday":                        {[]fact{on(200, renewal("2026-06-29"))}, nil, health.StageSteady},
		"renewal before adopting":                     {[]fact{on(70, renewal("2026-07-01"))}, nil, health.StageRenewal},
		"onboarding before renewal":                   {[]fact{on(7, renewal("2026-07-01"))}, nil, health.StageOnboarding},
		"no renewal of terms of 90 days":              {[]fact{on(200, renewal("2026-07-01")), on(9, term(90))}, nil, health.StageSteady},
		"renewal of terms of 91 days":                 {[]fact{on(200, renewal("2026-07-01")), on(9, term(91))}, nil, health.StageRenewal},
		"churned today":                               {[]fact{on(9, ownStage("steady")), on(9, churn("2026-06-30"))}, nil, health.StageChurned},
		"not churned before the day":                  {[]fact{on(9, churn("2026-07-01"))}, nil, health.StageOnboarding},
		"not churned once the date is cleared":        {[]fact{on(9, churn("2026-06-01")), on(1, cleared("churn_date"))}, nil, health.StageOnboarding},
		"churned while the clearing is the older one": {[]fact{on(9, churn("2026-06-01")), on(10, cleared("churn_date"))}, nil, health.StageChurned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := again(t, apply(t, health.New(), c.facts...))
			a.Evaluate(standard(t, c.marks...))
			require.Equal(t, c.want, a.Result().Stage)
			require.Equal(t, c.want, again(t, a).Result().Stage)
		})
	}
}

func TestTheCardFollowsTheStage(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(), on(59, login("u")))
	a.Evaluate(scorecard.Shipped())
	require.Equal(t, "onboarding", a.Result().Card)
	a.Roll(today()+1, scorecard.Shipped(), func(health.Row) {})
	require.Equal(t, "standard", a.Result().Card)
}

func TestNamesOfBandsAndStages(t *testing.T) {
	t.Parallel()
	for b, want := range []string{"unspecified", "unknown", "critical", "at_risk", "steady", "healthy"} {
		require.Equal(t, want, health.Band(b).String())
	}
	for s, want := range []string{"unspecified", "onboarding", "adopting", "steady", "renewal", "churned"} {
		require.Equal(t, want, health.Stage(s).String())
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	require.Equal(t, health.Day(0), health.DayOf(0))
	require.Equal(t, health.Day(-1), health.DayOf(-1))
	require.Equal(t, health.Day(0), health.DayOf(86_400_000_000-1))
	require.Equal(t, health.Day(1), health.DayOf(86_400_000_000))
	require.Equal(t, "2024-02-29", ofDay(t, "2024-02-29").String())
	require.Equal(t, health.DayOf(ofDay(t, "2024-02-29").Start()), ofDay(t, "2024-02-29"))
	for _, s := range []string{"", "2026-02-30", "2025-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T", "2026/01/01"} {
		_, ok := health.ParseDay(s)
		require.False(t, ok, s)
	}
}
