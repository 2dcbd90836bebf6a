package health_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// measureCase is a list of facts and what one measure makes of them.
type measureCase struct {
	name    string
	measure scorecard.Measure
	facts   []fact
	want    int64 // micros; none: no data
	marks   []scorecard.Milestone
}

const none = int64(-1 << 62)

func run(t *testing.T, cases []measureCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.measure.Name()+" "+c.name, func(t *testing.T) {
			t.Parallel()
			set := standard(t, c.marks...)
			want := scorecard.Value{Micros: c.want, Known: true}
			if c.want == none {
				want = scorecard.Value{}
			}
			a := apply(t, health.New(), c.facts...)
			require.Equal(t, want, a.Measures(set)[c.measure])
			require.Equal(t, want, again(t, a).Measures(set)[c.measure], "after being stored")
		})
	}
}

// repeated makes n facts, f(0)..f(n-1).
func repeated(n int, f func(i int) fact) []fact {
	facts := make([]fact, n)
	for i := range facts {
		facts[i] = f(i)
	}
	return facts
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	run(t, []measureCase{
		{"counts a user once, over usage and logins", scorecard.ActiveUsers, []fact{
			on(0, seats(3)), on(0, usage("u", "f")), on(1, login("u")), on(5, login("v")), on(5, usage("", "f")),
		}, 66_666_667, nil},
		{"holds today and 27 days before", scorecard.ActiveUsers, []fact{
			on(0, seats(8)), on(27, login("u")), on(28, login("v")), on(0, login("w")),
		}, 25 * one, nil},
		{"may be over 100", scorecard.ActiveUsers, []fact{on(0, seats(1)), on(0, login("u")), on(0, login("v"))}, 200 * one, nil},
		{"ignores failed logins", scorecard.ActiveUsers, []fact{on(0, seats(2)), on(0, failedLogin("u")), on(1, login("v"))}, 50 * one, nil},
		{"has no data without seats", scorecard.ActiveUsers, []fact{on(0, login("u"))}, none, nil},
		{"has no data with 0 seats", scorecard.ActiveUsers, []fact{on(0, seats(0)), on(0, login("u"))}, none, nil},
		{"has no data once seats are cleared", scorecard.ActiveUsers, []fact{
			on(2, seats(5)), on(1, cleared("seats")), on(0, login("u")),
		}, none, nil},
		{"has no data without an event", scorecard.ActiveUsers, []fact{on(0, seats(5))}, none, nil},

		{"counts distinct features of 30 days", scorecard.FeaturesUsed, []fact{
			on(0, usage("", "a")), on(29, usage("", "b")), on(30, usage("", "c")), on(2, usage("u", "a")),
		}, 2 * one, nil},
		{"is 0 after a login alone", scorecard.FeaturesUsed, []fact{on(0, login("u"))}, 0, nil},
		{"has no data without an event", scorecard.FeaturesUsed, []fact{on(0, failedLogin("u"))}, none, nil},

		{"compares 7 days with a quarter of 28", scorecard.UsageTrend, append([]fact{
			on(35, usage("", "f", 3*one)), on(8, usage("", "f", 4*one)), on(7, usage("", "f", one)), on(1, usage("", "f", one)),
			on(0, usage("", "f", 99*one)), on(36, usage("", "f", 99*one)),
		}, nil...), 14_285_714, nil}, // (4x2-7)/7
		{"falls to -100", scorecard.UsageTrend, []fact{on(35, usage("", "f"))}, -100 * one, nil},
		{"rounds half away from zero below zero", scorecard.UsageTrend, []fact{
			on(35, usage("", "f", 64*one)), on(3, usage("", "f", 15_999_999)),
		}, -6, nil}, // -4/64 000 000 = -6.25 micros of percent
		{"has no data before day 35", scorecard.UsageTrend, []fact{on(34, usage("", "f")), on(1, usage("", "f"))}, none, nil},
		{"has no data when the 28 days are empty", scorecard.UsageTrend, []fact{on(40, usage("", "f")), on(1, usage("", "f"))}, none, nil},
		{"has no data when the 28 days hold quantity 0", scorecard.UsageTrend, []fact{
			on(35, usage("", "f", 0)), on(1, usage("", "f")),
		}, none, nil},

		{
			"is mean daily users over distinct users", scorecard.Stickiness, append(
				repeated(28, func(i int) fact { return on(i+1, login("every")) }),
				on(14, login("once")), on(0, login("today")), on(30, login("old"))),
			51_785_714, nil,
		}, // 29/28/2
		{"looks at the whole days of a young account", scorecard.Stickiness, []fact{
			on(4, login("u")), on(2, login("u")), on(2, login("v")), on(0, login("w")),
		}, 37_500_000, nil}, // 3/4/2
		{"has no data on the first day", scorecard.Stickiness, []fact{on(0, login("u"))}, none, nil},
		{"has no data without users before today", scorecard.Stickiness, []fact{on(5, usage("", "f")), on(0, login("u"))}, none, nil},
		{"counts days before a later created date as distinct only", scorecard.Stickiness, []fact{
			on(3, login("u")), on(1, login("v")), on(0, created("2026-06-28")),
		}, 25 * one, nil}, // 1/2/2
	})
}

func TestEngagement(t *testing.T) {
	t.Parallel()
	run(t, []measureCase{
		{"counts days, not logins", scorecard.LoginDays, []fact{
			on(0, login("u")), on(0, login("v")), on(27, login("")), on(28, login("u")), on(3, failedLogin("u")),
		}, 2 * one, nil},
		{"is 0 after usage alone", scorecard.LoginDays, []fact{on(0, usage("u", "f"))}, 0, nil},
		{"has no data without an event", scorecard.LoginDays, []fact{on(0, seats(1))}, none, nil},

		{"compares 14 days with the 14 before", scorecard.LoginTrend, []fact{
			on(28, login("u")), on(15, login("u")), on(15, login("v")), on(14, login("u")), on(0, login("u")),
		}, -66_666_667, nil}, // (1-3)/3
		{"has no data before day 28", scorecard.LoginTrend, []fact{on(27, login("u")), on(1, login("u"))}, none, nil},
		{"has no data when the days before are empty", scorecard.LoginTrend, []fact{on(29, login("u")), on(1, login("u"))}, none, nil},

		{"counts from the last usage or login", scorecard.DaysSinceSeen, []fact{
			on(9, login("u")), on(4, usage("", "f")), on(1, failedLogin("u")),
		}, 4 * one, nil},
		{"is 0 on the day", scorecard.DaysSinceSeen, []fact{on(0, login(""))}, 0, nil},
		{"has no data without an event", scorecard.DaysSinceSeen, []fact{on(6, seats(1))}, none, nil},
	})
}

func TestSupport(t *testing.T) {
	t.Parallel()
	urgent, low, high := eventv1.Ticket_SEVERITY_URGENT, eventv1.Ticket_SEVERITY_LOW, eventv1.Ticket_SEVERITY_HIGH
	run(t, []measureCase{
		{"weighs severities, and doubles when escalated", scorecard.OpenTickets, []fact{
			on(3, ticket("normal", opened)), on(3, ticket("low", opened, severity(low))),
			on(3, ticket("high", opened, severity(high))), on(2, ticket("urgent", updated, severity(urgent))),
			on(2, ticket("twice", escalated)), on(1, ticket("gone", opened)), on(0, ticket("gone", closed)),
		}, 22 * one, nil}, // 2+1+5+10+2x2
		{"takes the latest severity that was given", scorecard.OpenTickets, []fact{
			on(1, ticket("t", updated, severity(high))), on(3, ticket("t", opened, severity(low))), on(0, ticket("t", updated)),
		}, 5 * one, nil},
		{"takes the severity of the greater message id at equal times", scorecard.OpenTickets, []fact{
			on(1, ticket("t", updated, severity(urgent))).with(func(e *eventv1.Event) { e.MessageId = "b" }),
			on(1, ticket("t", updated, severity(low))).with(func(e *eventv1.Event) { e.MessageId = "a" }),
		}, 10 * one, nil},
		{"lets closed win at equal times", scorecard.OpenTickets, []fact{
			on(1, ticket("t", closed)), on(1, ticket("t", reopened)), on(1, ticket("t", opened)),
		}, 0, nil},
		{"opens again", scorecard.OpenTickets, []fact{
			on(3, ticket("t", opened)), on(2, ticket("t", closed)), on(1, ticket("t", reopened)),
		}, 2 * one, nil},
		{"is not opened by an update or a reply", scorecard.OpenTickets, []fact{
			on(3, ticket("t", opened)), on(2, ticket("t", closed)), on(1, ticket("t", updated)), on(0, ticket("t", replied)),
		}, 0, nil},
		{"has no data without a ticket", scorecard.OpenTickets, []fact{on(0, login("u"))}, none, nil},

		{"counts by the earliest opened event of 30 days", scorecard.TicketVolume, []fact{
			on(29, ticket("a", opened)), on(30, ticket("b", opened)), on(1, ticket("b", opened)), on(0, ticket("c", updated)),
		}, one, nil},
		{"has no data without a ticket", scorecard.TicketVolume, nil, none, nil},

		{"is the median, of an even count the mean of two", scorecard.ResolutionHours, []fact{
			{10, 0, ticket("a", opened)},
			{10, hour, ticket("a", closed)},
			{9, 0, ticket("b", opened)},
			{9, 2*hour + 1, ticket("b", closed)},
			{95, 0, ticket("c", opened)},
			{89, 0, ticket("c", closed)},
			{8, 0, ticket("d", opened)},
			{8, 90, ticket("d", closed)},
			{99, 0, ticket("e", opened)},
			{90, 0, ticket("e", closed)},
			{8, 0, ticket("f", closed)},
			{8, 0, ticket("g", opened)},
		}, 1_500_000, nil}, // the middle two: 1 h, 2 h and a microsecond
		{"is the middle one of an odd count", scorecard.ResolutionHours, []fact{
			{10, 0, ticket("a", opened)}, {10, 5400, ticket("a", closed)},
		}, 2, nil}, // 1.5 micros of an hour
		{"is from first opened to last closed", scorecard.ResolutionHours, []fact{
			{10, 0, ticket("a", opened)}, {10, hour, ticket("a", closed)}, {9, 0, ticket("a", reopened)}, {9, 6 * hour, ticket("a", closed)},
		}, 30 * one, nil},
		{"has no data while the ticket is open again", scorecard.ResolutionHours, []fact{
			{10, 0, ticket("a", opened)}, {10, hour, ticket("a", closed)}, {9, 0, ticket("a", reopened)},
		}, none, nil},

		{"is reopened over closed tickets of 90 days", scorecard.ReopenRate, []fact{
			on(5, ticket("a", closed)), on(6, ticket("b", closed)), on(89, ticket("c", closed)), on(90, ticket("d", closed)),
			on(4, ticket("a", reopened)), on(91, ticket("b", reopened)),
		}, 33_333_333, nil},
		{"is at most 100", scorecard.ReopenRate, []fact{
			on(5, ticket("a", closed)), on(4, ticket("a", reopened)), on(4, ticket("b", reopened)),
		}, 100 * one, nil},
		{"has no data without a close", scorecard.ReopenRate, []fact{on(5, ticket("a", reopened))}, none, nil},
	})
}

func TestSentiment(t *testing.T) {
	t.Parallel()
	run(t, []measureCase{
		{"is promoters minus detractors", scorecard.NPS, []fact{
			on(0, answered("", nps, 10, 0)), on(1, answered("", nps, 9, 10)), on(2, answered("", nps, 8, 0)),
			on(179, answered("", nps, 6, 0)), on(180, answered("", nps, 0, 0)), on(3, answered("", nps, 7, 0)),
			on(3, answered("", nps, 7, 0)),
		}, 16_666_667, nil}, // (2-1)/6
		{"counts the latest answer of a named user", scorecard.NPS, []fact{
			on(1, answered("u", nps, 0, 0)), on(2, answered("u", nps, 10, 0)), on(3, answered("v", nps, 10, 0)),
		}, 0, nil},
		{"forgets a user whose latest answer is old", scorecard.NPS, []fact{on(180, answered("u", nps, 0, 0))}, none, nil},
		{"has no data without answers", scorecard.NPS, []fact{on(0, sent(nps)), on(0, answered("", csat, 5, 0))}, none, nil},

		{"counts 4 and 5 of 5, 5 to 7 of 7, and ratings", scorecard.CSAT, []fact{
			on(0, answered("u", csat, 4, 0)), on(0, answered("u", csat, 4, 7)), on(89, answered("u", csat, 5, 7)),
			on(90, answered("u", csat, 1, 5)), on(2, answered("u", csat, 3, 5)), on(2, ticket("a", closed, rating(4))),
			on(1, ticket("b", closed, rating(3))),
		}, 50 * one, nil}, // 3 of 6
		{"takes the latest rating of a ticket, on its own day", scorecard.CSAT, []fact{
			on(2, ticket("a", closed, rating(1))), on(1, ticket("a", updated, rating(5))), on(90, ticket("b", closed, rating(1))),
		}, 100 * one, nil},
		{"has no data without either", scorecard.CSAT, []fact{on(0, ticket("a", closed)), on(0, sent(csat))}, none, nil},

		{"is the mean answer", scorecard.CES, []fact{
			on(0, answered("u", ces, 7, 0)), on(0, answered("u", ces, 1, 7)), on(89, answered("", ces, 2, 0)), on(90, answered("", ces, 7, 0)),
		}, 3_333_333, nil},
		{"has no data without answers", scorecard.CES, []fact{on(90, answered("", ces, 7, 0))}, none, nil},

		{"is answered over sent of all types", scorecard.SurveyResponseRate, []fact{
			on(0, sent(nps)), on(1, sent(csat)), on(179, sent(ces)), on(180, sent(ces)), on(1, answered("u", nps, 5, 0)),
			on(2, answered("u", nps, 5, 0)),
		}, 66_666_667, nil},
		{"is at most 100", scorecard.SurveyResponseRate, []fact{
			on(0, sent(nps)), on(0, answered("", nps, 1, 0)), on(0, answered("", nps, 1, 0)),
		}, 100 * one, nil},
		{"has no data when none was sent", scorecard.SurveyResponseRate, []fact{on(0, answered("", nps, 1, 0))}, none, nil},
	})
}

func TestRelationship(t *testing.T) {
	t.Parallel()
	run(t, []measureCase{
		{"is the latest", scorecard.Pulse, []fact{on(1, touch(0, 2)), on(3, touch(meeting, 5))}, 2 * one, nil},
		{"has no data once the latest is 90 days old", scorecard.Pulse, []fact{on(90, touch(0, 2))}, none, nil},
		{"holds for 90 days", scorecard.Pulse, []fact{on(89, touch(0, 2))}, 2 * one, nil},
		{"has no data without one", scorecard.Pulse, []fact{on(1, touch(meeting, 0))}, none, nil},

		{"ignores a bare pulse", scorecard.DaysSinceTouch, []fact{on(7, touch(meeting, 1)), on(1, touch(0, 1))}, 7 * one, nil},
		{"has no data without a touch", scorecard.DaysSinceTouch, []fact{on(1, touch(0, 1))}, none, nil},

		{"is the least over champions", scorecard.ChampionSeen, []fact{
			on(50, role("a", "champion")), on(50, role("b", "champion")), on(50, role("c", "admin")),
			on(9, login("a")), on(20, login("b")), on(1, login("c")),
		}, 9 * one, nil},
		{"counts from the role where never seen", scorecard.ChampionSeen, []fact{
			on(12, role("a", "champion")), on(15, role("a", "admin")), on(14, role("a", "champion")),
		}, 14 * one, nil},
		{"counts from the day seen, even before the role", scorecard.ChampionSeen, []fact{
			on(3, role("a", "champion")), on(8, login("a")),
		}, 8 * one, nil},
		{"has no data once the role is another", scorecard.ChampionSeen, []fact{
			on(12, role("a", "champion")), on(2, role("a", "admin")),
		}, none, nil},
		{"has no data once the role is cleared", scorecard.ChampionSeen, []fact{
			on(12, role("a", "champion")), on(2, role("a", "")),
		}, none, nil},
		{"follows an alias", scorecard.ChampionSeen, []fact{
			on(12, role("a", "champion")), on(5, login("z")), on(1, joined("z", "a")),
		}, 5 * one, nil},
	})
	marks := []scorecard.Milestone{{Feature: "a", DueDay: 1}, {Feature: "b", DueDay: 7}, {Feature: "c", DueDay: 30}}
	run(t, []measureCase{
		{"is done over due", scorecard.Milestones, []fact{on(7, usage("", "a"))}, 50 * one, marks},
		{"counts those done early, up to 100", scorecard.Milestones, []fact{
			on(1, usage("", "a")), on(1, usage("", "c")),
		}, 100 * one, marks},
		{"rounds", scorecard.Milestones, []fact{on(30, usage("", "c"))}, 33_333_333, marks},
		{"remembers a feature for ever", scorecard.Milestones, []fact{on(399, usage("", "c"))}, 33_333_333, marks},
		{"has no data while none is due", scorecard.Milestones, []fact{on(0, usage("", "a"))}, none, marks},
		{"has no data where none is defined", scorecard.Milestones, []fact{on(9, usage("", "a"))}, none, nil},
	})
}

func TestUsersThatAnAliasJoined(t *testing.T) {
	t.Parallel()
	base := []fact{
		on(0, seats(4)), on(9, login("anonymous")), on(8, login("user")), on(3, login("phone")),
		on(2, answered("anonymous", nps, 10, 0)), on(1, answered("phone", nps, 0, 0)), on(1, login("someone")),
	}
	aliases := map[string][]fact{
		"in a chain":  {on(1, joined("user", "anonymous")), on(1, joined("phone", "user"))},
		"in a circle": {on(1, joined("user", "anonymous")), on(1, joined("phone", "user")), on(0, joined("anonymous", "phone"))},
		"as a star":   {on(1, joined("user", "anonymous")), on(1, joined("user", "phone")), on(1, joined("user", "user"))},
	}
	number(base)
	for name, joins := range aliases {
		number(joins)
		for cut := range len(base) + 1 {
			t.Run(fmt.Sprintf("%s after %d facts are one user", name, cut), func(t *testing.T) {
				t.Parallel()
				facts := append(append(append([]fact{}, base[:cut]...), joins...), base[cut:]...)
				a := again(t, apply(t, health.New(), facts...))
				v := a.Measures(standard(t))
				require.Equal(t, 50*one, v[scorecard.ActiveUsers].Micros)
				require.Equal(t, -100*one, v[scorecard.NPS].Micros)
				require.Equal(t, int64(22_222_222), v[scorecard.Stickiness].Micros) // 4/9/2
			})
		}
	}
}

func TestLateStartOfATicketKeepsTheEarliestOpening(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(), fact{5, 0, ticket("a", closed)}, fact{5, hour, ticket("b", opened)},
		fact{7, 0, ticket("a", opened)}, fact{6, 0, ticket("a", opened)})
	require.Equal(t, 48*one, a.Measures(standard(t))[scorecard.ResolutionHours].Micros)
}
