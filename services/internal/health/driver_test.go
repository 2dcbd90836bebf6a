package health_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// told is a driver as these tests look at it.
type told struct {
	kind    health.DriverKind
	subject string
	ago     int // days before today; -1: no day
}

// drivers folds facts and tells what is behind the change of a measure between two days, given as days before today.
func drivers(t *testing.T, m scorecard.Measure, from, to int, facts ...fact) []health.Driver {
	t.Helper()
	set := standard(t, scorecard.Milestone{Feature: "mark", DueDay: 10})
	a := apply(t, health.New(), facts...)
	a.Evaluate(set)
	all := a.Facts(set)
	s := health.Span{Facts: &all, From: today() - health.Day(from), To: today() - health.Day(to), Today: today()}
	return s.Drivers(&health.MeasureChange{Measure: m})
}

func tell(all []health.Driver) []told {
	var out []told
	for _, d := range all {
		one := told{d.Kind, d.Subject, -1}
		if d.Day != nil {
			one.ago = int(today() - *d.Day)
		}
		out = append(out, one)
	}
	return out
}

// daily is a user who was seen on every day between two.
func daily(user string, from, to int) []fact {
	var facts []fact
	for ago := from; ago >= to; ago-- {
		facts = append(facts, on(ago, login(user)))
	}
	return facts
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		measure  scorecard.Measure
		from, to int
		facts    []fact
		want     []told
	}{
		"a user who came daily and no more has stopped": {
			scorecard.ActiveUsers, 7, 0, daily("ann", 12, 8), []told{{health.DriverUserStopped, "ann", 8}},
		},
		"a user who came now and then is not missed within a week": {
			scorecard.ActiveUsers, 7, 0, daily("ann", 10, 8), nil,
		},
		"a user who is silent for less than a week is not missed": {
			scorecard.ActiveUsers, 6, 0, daily("ann", 12, 6), nil,
		},
		"a user who became quiet within the span is missed": {
			scorecard.ActiveUsers, 10, 0, daily("ann", 20, 8), []told{{health.DriverUserStopped, "ann", 8}},
		},
		"a user who was quiet before is not told again": {
			scorecard.ActiveUsers, 1, 0, daily("ann", 12, 8), nil,
		},
		"a champion's silence counts from the first day": {
			scorecard.ChampionSeen, 1, 0, append(daily("bob", 1, 1), on(20, role("bob", "champion"))),
			[]told{{health.DriverUserStopped, "bob", 1}},
		},
		"a champion who became quiet within a long span has stopped": {
			scorecard.ChampionSeen, 60, 0, append(daily("bob", 70, 43), on(80, role("bob", "champion"))),
			[]told{{health.DriverUserStopped, "bob", 43}},
		},
		"a champion who was seen is no silence": {
			scorecard.ChampionSeen, 1, 0, append(daily("bob", 1, 0), on(20, role("bob", "champion"))), nil,
		},
		"a user who leaves the window has stopped": {
			scorecard.ActiveUsers, 1, 0, daily("ann", 28, 28), []told{{health.DriverUserStopped, "ann", 28}},
		},
		"a user whose last days are long ago has stopped": {
			scorecard.ActiveUsers, 90, 0, daily("ann", 95, 91), []told{{health.DriverUserStopped, "ann", 91}},
		},
		"a user who stopped within a long span has stopped": {
			scorecard.Stickiness, 90, 0, daily("ann", 99, 60), []told{{health.DriverUserStopped, "ann", 60}},
		},
		"a user outside the window on both days is no driver": {
			scorecard.ActiveUsers, 7, 0, daily("ann", 40, 36), nil,
		},
		"a user who is new has started on the first day in the span": {
			scorecard.ActiveUsers, 7, 0, daily("ann", 5, 0), []told{{health.DriverUserStarted, "ann", 5}},
		},
		"the first day counts where the user went on after the span": {
			scorecard.ActiveUsers, 7, 3, daily("ann", 5, 0), []told{{health.DriverUserStarted, "ann", 5}},
		},
		"a user who was there before has not started": {
			scorecard.ActiveUsers, 7, 0, daily("ann", 8, 0), nil,
		},
		"that a user is new is not said where it is not known": {
			scorecard.ActiveUsers, 30, 0, daily("ann", 5, 0), nil,
		},
		"only champions are behind champion_seen": {
			scorecard.ChampionSeen, 7, 0,
			append(daily("ann", 12, 8), append(daily("bob", 8, 8), on(20, role("bob", "champion")))...),
			[]told{{health.DriverUserStopped, "bob", 8}},
		},
		"a feature used for the first time has started": {
			scorecard.FeaturesUsed, 7, 0, []fact{on(3, usage("u", "chart"))}, []told{{health.DriverFeatureStarted, "chart", 3}},
		},
		"a feature used daily until the span has stopped": {
			scorecard.FeaturesUsed, 7, 0,
			[]fact{on(40, usage("u", "chart")), on(8, usage("u", "chart"))},
			[]told{{health.DriverFeatureStopped, "chart", 8}},
		},
		"a feature that became quiet within the span has stopped": {
			scorecard.FeaturesUsed, 11, 0,
			[]fact{on(40, usage("u", "chart")), on(10, usage("u", "chart"))},
			[]told{{health.DriverFeatureStopped, "chart", 10}},
		},
		"a feature that leaves the window has stopped": {
			scorecard.FeaturesUsed, 1, 0, []fact{on(30, usage("u", "chart"))}, []told{{health.DriverFeatureStopped, "chart", 30}},
		},
		"a feature that stopped within a long span has stopped": {
			scorecard.FeaturesUsed, 90, 0,
			[]fact{on(95, usage("u", "chart")), on(50, usage("u", "chart"))},
			[]told{{health.DriverFeatureStopped, "chart", 50}},
		},
		"a feature that came and went within the span is no driver": {
			scorecard.FeaturesUsed, 90, 0, []fact{on(60, usage("u", "chart")), on(50, usage("u", "chart"))}, nil,
		},
		"a feature that is used still is no driver": {
			scorecard.FeaturesUsed, 7, 0, []fact{on(40, usage("u", "chart")), on(2, usage("u", "chart"))}, nil,
		},
		"tickets opened, the heaviest first": {
			scorecard.OpenTickets, 7, 0,
			[]fact{on(3, ticket("a", opened)), on(2, ticket("b", opened, severity(4))), on(9, ticket("c", opened))},
			[]told{{health.DriverTicketOpened, "b", 2}, {health.DriverTicketOpened, "a", 3}},
		},
		"a ticket without an opened event is open from its first": {
			scorecard.OpenTickets, 7, 0, []fact{on(3, ticket("a", updated))}, []told{{health.DriverTicketOpened, "a", 3}},
		},
		"a ticket without an opened event is not in ticket_volume": {
			scorecard.TicketVolume, 7, 0, []fact{on(3, ticket("a", updated))}, nil,
		},
		"a ticket closed": {
			scorecard.OpenTickets, 7, 0,
			[]fact{on(9, ticket("a", opened)), on(3, ticket("a", closed))},
			[]told{{health.DriverTicketClosed, "a", 3}},
		},
		"a ticket opened again": {
			scorecard.OpenTickets, 7, 0,
			[]fact{on(19, ticket("a", opened)), on(13, ticket("a", closed)), on(2, ticket("a", reopened))},
			[]told{{health.DriverTicketReopened, "a", 2}},
		},
		"a ticket that leaves ticket_volume": {
			scorecard.TicketVolume, 7, 0, []fact{on(33, ticket("a", opened))}, []told{{health.DriverAgedOut, "a", 33}},
		},
		"a ticket that came and left the window within the span is no driver": {
			scorecard.TicketVolume, 90, 0, []fact{on(60, ticket("a", opened))}, nil,
		},
		"a ticket closed counts for reopen_rate even if it is open again": {
			scorecard.ReopenRate, 7, 0,
			[]fact{on(9, ticket("a", opened)), on(3, ticket("a", closed)), on(2, ticket("a", reopened))},
			[]told{{health.DriverTicketClosed, "a", 3}, {health.DriverTicketReopened, "a", 2}},
		},
		"closing and opening again leave reopen_rate": {
			scorecard.ReopenRate, 7, 0,
			[]fact{on(92, ticket("a", closed)), on(91, ticket("a", reopened))},
			[]told{{health.DriverAgedOut, "a", 91}, {health.DriverAgedOut, "a", 92}},
		},
		"a ticket closed has a resolution": {
			scorecard.ResolutionHours, 7, 0,
			[]fact{on(9, ticket("a", opened)), on(3, ticket("a", closed))},
			[]told{{health.DriverTicketClosed, "a", 3}},
		},
		"a ticket opened again has none any more": {
			scorecard.ResolutionHours, 7, 0,
			[]fact{on(9, ticket("a", opened)), on(3, ticket("a", closed)), on(2, ticket("a", reopened))},
			[]told{{health.DriverTicketReopened, "a", 2}},
		},
		"a ticket nobody opened has no resolution": {
			scorecard.ResolutionHours, 7, 0, []fact{on(3, ticket("a", closed))}, nil,
		},
		"a resolution leaves its window": {
			scorecard.ResolutionHours, 7, 0,
			[]fact{on(99, ticket("a", opened)), on(93, ticket("a", closed))},
			[]told{{health.DriverAgedOut, "a", 93}},
		},
		"nps answers": {
			scorecard.NPS, 7, 0,
			[]fact{on(3, answered("u", nps, 9, 0)), on(2, answered("v", nps, 1, 0)), on(8, answered("w", nps, 1, 0))},
			[]told{{health.DriverSurveyAnswered, "", 2}},
		},
		"csat answers and ratings of tickets, and those that are too old": {
			scorecard.CSAT, 7, 0,
			[]fact{on(3, answered("u", csat, 4, 5)), on(4, ticket("a", closed, rating(1))), on(93, answered("u", csat, 4, 5))},
			[]told{{health.DriverSurveyAnswered, "", 3}, {health.DriverAgedOut, "", 93}},
		},
		"ces answers": {
			scorecard.CES, 7, 0,
			[]fact{on(3, answered("u", ces, 4, 0)), on(5, answered("u", csat, 4, 5))},
			[]told{{health.DriverSurveyAnswered, "", 3}},
		},
		"any answer is behind survey_response_rate": {
			scorecard.SurveyResponseRate, 7, 0,
			[]fact{on(3, answered("u", ces, 4, 0)), on(9, sent(ces))},
			[]told{{health.DriverSurveyAnswered, "", 3}},
		},
		"a pulse that is set": {
			scorecard.Pulse, 7, 0, []fact{on(3, touch(meeting, 2))}, []told{{health.DriverPulseSet, "", 3}},
		},
		"a pulse that is too old": {
			scorecard.Pulse, 7, 0, []fact{on(92, touch(meeting, 2))}, []told{{health.DriverAgedOut, "", 92}},
		},
		"a pulse that stands is no driver":       {scorecard.Pulse, 7, 0, []fact{on(9, touch(meeting, 2))}, nil},
		"no pulse is no driver":                  {scorecard.Pulse, 7, 0, []fact{on(9, touch(meeting, 0))}, nil},
		"a touch":                                {scorecard.DaysSinceTouch, 7, 0, []fact{on(3, touch(meeting, 0))}, []told{{health.DriverTouched, "", 3}}},
		"no touch":                               {scorecard.DaysSinceTouch, 7, 0, []fact{on(9, touch(meeting, 0))}, []told{{health.DriverNotTouched, "", 9}}},
		"a touch after the span hides the last":  {scorecard.DaysSinceTouch, 7, 3, []fact{on(9, touch(meeting, 0)), on(1, touch(meeting, 0))}, nil},
		"nothing is behind a touch that was not": {scorecard.DaysSinceTouch, 7, 0, []fact{on(9, login("u"))}, nil},
		"a milestone reached": {
			scorecard.Milestones, 7, 0,
			[]fact{on(15, login("u")), on(3, usage("u", "mark"))},
			[]told{{health.DriverMilestoneReached, "mark", 3}},
		},
		"a milestone missed":            {scorecard.Milestones, 7, 0, []fact{on(15, login("u"))}, []told{{health.DriverMilestoneMissed, "mark", 5}}},
		"a milestone reached too late":  {scorecard.Milestones, 7, 3, []fact{on(15, login("u")), on(1, usage("u", "mark"))}, []told{{health.DriverMilestoneMissed, "mark", 5}}},
		"a milestone not due":           {scorecard.Milestones, 7, 0, []fact{on(5, login("u"))}, nil},
		"a milestone reached long ago":  {scorecard.Milestones, 7, 0, []fact{on(15, usage("u", "mark"))}, nil},
		"no measure, nothing behind it": {scorecard.MeasureCount, 7, 0, []fact{on(3, touch(meeting, 2))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, tell(drivers(t, c.measure, c.from, c.to, c.facts...)))
		})
	}
}

func TestDriversOfQuantities(t *testing.T) {
	t.Parallel()
	last := today() - 3
	for name, c := range map[string]struct {
		measure  scorecard.Measure
		from, to scorecard.Value
		last     *health.Day
		want     []health.Driver
	}{
		"more": {scorecard.UsageTrend, known(-5_500_000), known(12_340_000), nil, []health.Driver{
			{Kind: health.DriverQuantityRose, Text: "usage_trend rose from -5.5 to 12.3 percent"},
		}},
		"less": {scorecard.LoginDays, known(9 * one), known(one), nil, []health.Driver{
			{Kind: health.DriverQuantityFell, Text: "login_days fell from 9.0 to 1.0 days"},
		}},
		"equal":   {scorecard.LoginTrend, known(one), known(one), nil, nil},
		"unknown": {scorecard.LoginTrend, scorecard.Value{}, known(one), nil, nil},
		"nobody was seen": {scorecard.DaysSinceSeen, known(one), known(3 * one), &last, []health.Driver{
			{Kind: health.DriverQuantityFell, Day: &last, Text: "nobody was seen since 2026-06-27"},
		}},
		"somebody was seen, which is more usage": {scorecard.DaysSinceSeen, known(9 * one), known(3 * one), &last, []health.Driver{
			{Kind: health.DriverQuantityRose, Day: &last, Text: "somebody was seen on 2026-06-27"},
		}},
		"seen, but not when": {scorecard.DaysSinceSeen, known(9 * one), known(3 * one), nil, []health.Driver{
			{Kind: health.DriverQuantityRose, Text: "days_since_seen fell from 9.0 to 3.0 days"},
		}},
		"rounded": {scorecard.UsageTrend, known(-9_350_000), known(-49_999), nil, []health.Driver{
			{Kind: health.DriverQuantityRose, Text: "usage_trend rose from -9.4 to 0.0 percent"},
		}},
		"seen as before": {scorecard.DaysSinceSeen, known(one), known(one), &last, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := health.Span{Facts: &health.Facts{LastSeen: c.last}, From: today() - 7, To: today(), Today: today()}
			require.Equal(t, c.want, s.Drivers(&health.MeasureChange{Measure: c.measure, From: c.from, To: c.to}))
		})
	}
}

func TestATouchLongAgoIsASilence(t *testing.T) {
	t.Parallel()
	last := today() - 48
	s := health.Span{Facts: &health.Facts{LastTouch: &last}, From: today() - 58, To: today(), Today: today()}
	c := health.MeasureChange{Measure: scorecard.DaysSinceTouch, From: known(30 * one), To: known(48 * one)}
	require.Equal(t, []told{{health.DriverNotTouched, "", 48}}, tell(s.Drivers(&c)), "longer than before")
	c.From = known(90 * one)
	require.Equal(t, []told{{health.DriverTouched, "", 48}}, tell(s.Drivers(&c)))
}

func TestDriversSayWhatHappened(t *testing.T) {
	t.Parallel()
	text := func(m scorecard.Measure, from int, facts ...fact) []string {
		var all []string
		for _, d := range drivers(t, m, from, 0, facts...) {
			all = append(all, d.Text)
		}
		return all
	}
	require.Equal(t, []string{"ann was last seen on 2026-06-22, after 5 days of 28"}, text(scorecard.ActiveUsers, 7, daily("ann", 12, 8)...))
	require.Equal(t, []string{"ann was last seen on 2026-03-31"}, text(scorecard.ActiveUsers, 90, daily("ann", 95, 91)...),
		"on how many days is not known any more")
	require.Equal(t, []string{"ann was seen on 1 day, and not in the 28 days before"}, text(scorecard.ActiveUsers, 7, daily("ann", 2, 2)...))
	require.Equal(t, []string{"ticket a (urgent) was opened on 2026-06-28"}, text(scorecard.OpenTickets, 7, on(2, ticket("a", opened, severity(4)))))
	require.Equal(t, []string{"ticket a (normal) counts no more: it was opened on 2026-05-28"}, text(scorecard.TicketVolume, 7, on(33, ticket("a", opened))))
	require.Equal(t, []string{"1 nps answer came in"}, text(scorecard.NPS, 7, on(2, answered("u", nps, 9, 0))))
	require.Equal(t, []string{"2 ces answers counted no more after 90 days"},
		text(scorecard.CES, 7, on(92, answered("u", ces, 4, 0)), on(91, answered("v", ces, 4, 0))))
	require.Equal(t, []string{"the pulse was set to 2 on 2026-06-27"}, text(scorecard.Pulse, 7, on(3, touch(meeting, 2))))
}

func TestDriversHaveOneOrder(t *testing.T) {
	t.Parallel()
	set := standard(t, scorecard.Milestone{Feature: "g", DueDay: 2})
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts(t)
		of := func(facts []fact) health.Span {
			a := apply(t, health.New(), facts...)
			a.Evaluate(set)
			all := a.Facts(set)
			return health.Span{Facts: &all, From: today() - 30, To: today(), Today: today()}
		}
		x, y := of(facts), of(rapid.Permutation(facts).Draw(t, "order"))
		for m := range scorecard.MeasureCount {
			c := health.MeasureChange{Measure: m, From: known(one), To: known(2 * one)}
			all := x.Drivers(&c)
			require.Equal(t, all, y.Drivers(&c))
			require.True(t, slices.IsSortedFunc(all, func(a, b health.Driver) int { return int(b.Weight - a.Weight) }))
			for _, d := range all {
				require.NotEmpty(t, d.Text)
				require.NotZero(t, d.Kind)
			}
		}
	})
}
