package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// expectation is a measure's value after some events; nil is no data.
type expectation struct {
	name      string
	measure   scorecard.Measure
	facts     *facts
	connected scorecard.Source
	want      *int64
}

func check(t *testing.T, cases []expectation) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := oracle.Measures(c.facts.events, today, milestones(), c.connected)[c.measure]
			want := scorecard.Value{}
			if c.want != nil {
				want = scorecard.Value{Micros: *c.want, Known: true}
			}
			require.Equal(t, want, got)
		})
	}
}

func milestones() []scorecard.Milestone {
	return []scorecard.Milestone{{Feature: "invite", DueDay: 7}, {Feature: "report", DueDay: 30}}
}

func start() *facts { return &facts{} }

func old() *facts { return start().on(200, "", profile(&eventv1.Account{Name: new("Old")})) }

func TestMeasuresOfUse(t *testing.T) {
	t.Parallel()
	check(t, []expectation{
		{"active users are people seen in 28 days over seats", scorecard.ActiveUsers, start().
			on(27, "a", usage("f")).on(28, "b", login()).on(0, "c", login()).on(0, "d", failedLogin()).
			on(0, "", login()).on(0, "c", usage("f")).on(0, "", seats(3)), 0, new(int64(66_666_667))},
		{"active users have no data without seats", scorecard.ActiveUsers, start().on(0, "a", login()), 0, nil},
		{
			"active users are nobody where silence counts", scorecard.ActiveUsers,
			start().on(0, "", seats(3)), scorecard.SourceLogin, new(int64(0)),
		},
		{
			"joined users are one", scorecard.ActiveUsers, start().
				on(1, "a", usage("f")).on(1, "b", usage("f")).on(1, "c", usage("f")).
				on(0, "b", alias("a")).on(0, "a", alias("x")).on(0, "c", alias("x")).on(0, "", seats(1)),
			0, new(int64(100_000_000)),
		},
		{"features are counted for 30 days", scorecard.FeaturesUsed, start().
			on(29, "", usage("a")).on(30, "", usage("b")).on(0, "", usage("a")).on(0, "", quantity(0)), 0, new(int64(2_000_000))},
		{"a failed login connects nothing", scorecard.FeaturesUsed, start().on(0, "", failedLogin()), 0, nil},
		{"the trend compares a week with four", scorecard.UsageTrend, old().
			on(0, "", quantity(9)).on(1, "", quantity(1_000_000)).on(7, "", usage("f")).
			on(8, "", quantity(5_000_000)).on(35, "", quantity(2_000_000)).on(36, "", quantity(9)), 0, new(int64(14_285_714))},
		{"the trend of a young account has no data", scorecard.UsageTrend, start().
			on(34, "", usage("f")).on(1, "", usage("f")), 0, nil},
		{"the trend saturates", scorecard.UsageTrend, old().
			on(1, "", quantity(1_000_000_000_000_000)).on(8, "", quantity(1)), 0, new(int64(1_000_000_000_000_000_000))},
		{"stickiness divides by the days of life", scorecard.Stickiness, start().
			on(3, "a", login()).on(2, "a", login()).on(2, "b", login()).on(0, "c", login()), 0, new(int64(50_000_000))},
		{"stickiness has no data on the first day", scorecard.Stickiness, start().on(0, "a", login()), 0, nil},
		{"login days are days", scorecard.LoginDays, start().
			on(27, "", login()).on(28, "", login()).on(0, "a", login()).on(0, "b", login()), 0, new(int64(2_000_000))},
		{"logins of two weeks compare with two weeks", scorecard.LoginTrend, old().
			on(0, "", login()).on(1, "", login()).on(14, "", login()).on(15, "", login()).
			on(28, "", login()).on(20, "", login()).on(29, "", login()), 0, new(int64(-33_333_333))},
		{"days since seen count from the last sight", scorecard.DaysSinceSeen, start().
			on(9, "", usage("f")).on(4, "", login()).on(1, "", failedLogin()), 0, new(int64(4_000_000))},
		{
			"an account never seen counts its age", scorecard.DaysSinceSeen,
			old(), scorecard.SourceUsage, new(int64(200_000_000)),
		},
	})
}

func TestMeasuresOfTickets(t *testing.T) {
	t.Parallel()
	const (
		opened, closed = eventv1.Ticket_ACTION_OPENED, eventv1.Ticket_ACTION_CLOSED
		reopened       = eventv1.Ticket_ACTION_REOPENED
		escalated      = eventv1.Ticket_ACTION_ESCALATED
		updated        = eventv1.Ticket_ACTION_UPDATED
	)
	check(t, []expectation{
		{
			"open tickets weigh by severity and double when escalated", scorecard.OpenTickets, start().
				on(5, "", ticket("normal", opened)).
				on(5, "", severe("urgent", eventv1.Ticket_SEVERITY_URGENT)).on(4, "", ticket("urgent", escalated)).
				on(5, "", severe("eased", eventv1.Ticket_SEVERITY_HIGH)).on(4, "", severe("eased", eventv1.Ticket_SEVERITY_LOW)).
				on(5, "", ticket("done", opened)).on(4, "", ticket("done", closed)).on(3, "", ticket("done", updated)),
			0, new(int64(23_000_000)),
		},
		{"closed beats reopened beats opened at one time", scorecard.OpenTickets, start().
			on(5, "", ticket("a", closed)).on(5, "", ticket("a", reopened)).on(5, "", ticket("a", opened)).
			on(4, "", ticket("b", closed)).on(3, "", ticket("b", reopened)), 0, new(int64(2_000_000))},
		{"no ticket is no data", scorecard.OpenTickets, old(), scorecard.SourceUsage, nil},
		{"no ticket is good where silence counts", scorecard.OpenTickets, old(), scorecard.SourceTicket, new(int64(0))},
		{"volume goes by the earliest opening", scorecard.TicketVolume, start().
			on(29, "", ticket("a", opened)).on(30, "", ticket("b", opened)).on(1, "", ticket("b", opened)).
			on(1, "", ticket("c", updated)), 0, new(int64(1_000_000))},
		{
			"resolution is the median of an even count", scorecard.ResolutionHours, start().
				at(9, 0, "", ticket("a", opened)).at(9, hour, "", ticket("a", closed)).
				at(8, 0, "", ticket("b", opened)).at(8, 2*hour+1, "", ticket("b", closed)).
				at(8, 3*hour, "", ticket("c", closed)).
				at(8, 0, "", ticket("d", opened)).at(8, hour, "", ticket("d", closed)).at(7, hour, "", ticket("d", reopened)),
			0, new(int64(1_500_000)),
		},
		{"resolution of the only ticket", scorecard.ResolutionHours, start().
			at(95, 0, "", ticket("a", opened)).at(90, 0, "", ticket("a", closed)).
			at(95, 0, "", ticket("b", opened)).at(89, 0, "", ticket("b", closed)), 0, new(int64(144_000_000))},
		{
			"the reopen rate is at most 100", scorecard.ReopenRate, start().
				on(1, "", ticket("a", reopened)).on(1, "", ticket("b", reopened)).on(2, "", ticket("b", closed)),
			0, new(int64(100_000_000)),
		},
		{"a reopen without a close is no rate", scorecard.ReopenRate, start().
			on(1, "", ticket("a", reopened)).on(90, "", ticket("b", closed)), 0, nil},
		{
			"ratings of tickets are satisfaction", scorecard.CSAT, start().
				on(9, "", rated("a", 5)).on(1, "", rated("a", 3)).on(2, "", rated("b", 4)).on(90, "", rated("c", 5)),
			0, new(int64(50_000_000)),
		},
	})
}

func TestMeasuresOfVoice(t *testing.T) {
	t.Parallel()
	const (
		nps, csat, ces = eventv1.Survey_TYPE_NPS, eventv1.Survey_TYPE_CSAT, eventv1.Survey_TYPE_CES
		none           = eventv1.Interaction_KIND_UNSPECIFIED
		call           = eventv1.Interaction_KIND_CALL
	)
	check(t, []expectation{
		{"of a person the latest nps answer counts", scorecard.NPS, start().
			on(9, "a", answer(nps, 10, 0)).on(8, "b", answer(nps, 2, 10)).on(7, "b", alias("a")).
			on(6, "", answer(nps, 9, 0)).on(6, "", answer(nps, 9, 0)).on(180, "", answer(nps, 0, 0)), 0, new(int64(33_333_333))},
		{"nps has no data without answers", scorecard.NPS, start().on(1, "", sent(nps)), 0, nil},
		{"satisfaction knows its scales", scorecard.CSAT, start().
			on(1, "a", answer(csat, 4, 0)).on(1, "a", answer(csat, 4, 5)).on(1, "a", answer(csat, 4, 7)).
			on(1, "a", answer(csat, 5, 7)).on(89, "a", answer(csat, 3, 5)).on(90, "a", answer(csat, 5, 5)), 0, new(int64(60_000_000))},
		{"effort is the mean", scorecard.CES, start().
			on(1, "", answer(ces, 1, 0)).on(1, "", answer(ces, 7, 7)).on(1, "", answer(ces, 2, 0)), 0, new(int64(3_333_333))},
		{"the response rate counts all types", scorecard.SurveyResponseRate, start().
			on(1, "", sent(nps)).on(1, "", sent(csat)).on(179, "", sent(ces)).on(180, "", sent(ces)).
			on(1, "", answer(ces, 1, 0)), 0, new(int64(33_333_333))},
		{"the response rate is at most 100", scorecard.SurveyResponseRate, start().
			on(1, "", sent(nps)).on(1, "", answer(ces, 1, 0)).on(1, "", answer(ces, 1, 0)), 0, new(int64(100_000_000))},
		{
			"the latest pulse counts", scorecard.Pulse, start().
				on(5, "", touch(none, new(int32(2)))).on(5, "", touch(call, new(int32(4)))).on(1, "", touch(call, nil)),
			0, new(int64(4_000_000)),
		},
		{"a pulse fades after 90 days", scorecard.Pulse, start().on(90, "", touch(none, new(int32(2)))), 0, nil},
		{"a bare pulse is no touch", scorecard.DaysSinceTouch, start().
			on(5, "", touch(call, nil)).on(1, "", touch(none, new(int32(2)))), 0, new(int64(5_000_000))},
		{"the champion seen last counts", scorecard.ChampionSeen, start().
			on(50, "a", role("champion")).on(40, "b", role("champion")).on(30, "a", login()).
			on(2, "c", login()).on(60, "c", role("champion")).on(50, "c", role("admin")), 0, new(int64(30_000_000))},
		{
			"a champion never seen counts from the first such role", scorecard.ChampionSeen, start().
				on(50, "a", role("champion")).on(40, "a", role("")).on(30, "b", role("champion")).on(9, "b", alias("a")),
			0, new(int64(50_000_000)),
		},
		{"no champion is no data", scorecard.ChampionSeen, start().on(50, "", role("champion")), 0, nil},
		{"milestones done over due", scorecard.Milestones, start().
			on(40, "", usage("x")).on(39, "", usage("invite")), 0, new(int64(50_000_000))},
		{"milestones are at most 100", scorecard.Milestones, start().
			on(10, "", usage("invite")).on(9, "", usage("report")), 0, new(int64(100_000_000))},
		{"no milestone due is no data", scorecard.Milestones, start().on(6, "", usage("invite")), 0, nil},
	})
}
