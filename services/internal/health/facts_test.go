package health_test

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// measured computes some measures from facts alone.
func measured(f *health.Facts, today health.Day) map[scorecard.Measure]int64 {
	v := map[scorecard.Measure]int64{}
	for _, e := range f.Features {
		if e.Last > today-30 {
			v[scorecard.FeaturesUsed]++
		}
	}
	for _, u := range f.Users {
		if bits.OnesCount64(u.Seen&(1<<28-1)) > 0 {
			v[scorecard.ActiveUsers]++
		}
	}
	for _, t := range f.Tickets {
		if t.Open {
			v[scorecard.OpenTickets] += t.Points
		}
		if t.Opened != nil && health.DayOf(*t.Opened) > today-30 {
			v[scorecard.TicketVolume]++
		}
	}
	for _, s := range f.Surveys {
		v[scorecard.SurveyResponseRate] += s.Answered
		v[scorecard.NPS] += s.Promoters - s.Detractors
	}
	return v
}

func TestFactsAreWhatMeasuresAreMadeOf(t *testing.T) {
	t.Parallel()
	set := standard(t, scorecard.Milestone{Feature: "g", DueDay: 2})
	rapid.Check(t, func(t *rapid.T) {
		facts := append(someFacts(t), on(0, usage("a", "f")), on(0, ticket("t", closed)), on(10, seats(100)), on(1, answered("", nps, 8, 0)))
		a := apply(t, health.New(), facts...)
		f, m := a.Facts(set), a.Measures(set)
		got := measured(&f, today())
		for _, whole := range []scorecard.Measure{scorecard.FeaturesUsed, scorecard.OpenTickets, scorecard.TicketVolume} {
			require.Equal(t, m[whole].Micros, got[whole]*one)
		}
		var answers int64
		for _, s := range f.Surveys {
			answers += s.NPS
		}
		require.InDelta(t, m[scorecard.NPS].Micros, got[scorecard.NPS]*100*one/answers, 1)
		require.Equal(t, m[scorecard.DaysSinceSeen].Micros, int64(today()-*f.LastSeen)*one)
		require.Equal(t, m[scorecard.Pulse].Known, f.Pulse != nil && f.Pulse.Current)
		if f.LastTouch != nil {
			require.Equal(t, m[scorecard.DaysSinceTouch].Micros, int64(today()-*f.LastTouch)*one)
		}
	})
}

func TestFactsNameWhatHappened(t *testing.T) {
	t.Parallel()
	set := standard(t, scorecard.Milestone{Feature: "invite", DueDay: 3}, scorecard.Milestone{Feature: "never", DueDay: 9})
	talk := touch(meeting, 4)
	talk.GetInteraction().Author, talk.GetInteraction().Note = "jo", "they grow"
	facts := []fact{
		on(20, usage("b", "invite")), on(12, usage("a", "invite")), on(10, role("b", "champion")), on(9, joined("b", "c")),
		on(8, ticket("t", opened, severity(eventv1.Ticket_SEVERITY_URGENT))), on(7, ticket("t", escalated)),
		on(6, ticket("t", closed, rating(2))), on(5, ticket("t", reopened)), on(4, answered("a", nps, 10, 0)),
		on(3, sent(ces)), on(3, answered("", ces, 6, 0)), on(2, talk), on(1, failedLogin("a")),
	}
	a := apply(t, health.New(), facts...)
	noon := func(ago int) *int64 { return new(on(ago, nil).time()) }
	day := func(ago int) *health.Day { return new(today() - health.Day(ago)) }
	want := health.Facts{
		First: day(20), LastSeen: day(12), LastTouch: day(2),
		Users: []health.UserFact{
			{ID: "a", Last: day(12), Seen: 1 << 12}, {ID: "b", Role: "champion", Last: day(20), Seen: 1 << 20},
		},
		Features: []health.FeatureFact{{Name: "invite", First: *day(20), Last: *day(12)}},
		Tickets: []health.TicketFact{{
			ID: "t", First: *noon(8), Opened: noon(8), Reopened: noon(5), Closed: noon(6), Severity: "urgent", Escalated: true,
			Open: true, Points: 20, Rating: 2, RatedAt: *noon(6),
		}},
		Surveys: []health.SurveyFact{
			{Day: *day(4), Answered: 1, NPS: 1, Promoters: 1}, {Day: *day(3), Sent: 1, Answered: 1, CES: 1, CESSum: 6},
		},
		Milestones: []health.MilestoneFact{
			{Feature: "invite", Due: *day(17), Reached: day(20)}, {Feature: "never", Due: *day(11)},
		},
		Pulse: &health.PulseFact{Pulse: 4, At: *noon(2), Author: "jo", Note: "they grow", Current: true},
		LastEvent: [health.SourceCount]health.Time{
			health.SourceUsage: *noon(12), health.SourceLogin: *noon(1), health.SourceTicket: *noon(5),
			health.SourceSurvey: *noon(3), health.SourceAccount: *noon(2),
		},
	}
	require.Equal(t, want, a.Facts(set))
	require.Equal(t, want, again(t, a).Facts(set))
	require.Equal(t, *noon(5), a.LastEvent(health.SourceTicket))
	again(t, a).EachFeature(func(name string, last health.Day) {
		want.Features = want.Features[1:]
		require.Equal(t, []any{"invite", *day(12)}, []any{name, last})
	})
	require.Empty(t, want.Features, "all were visited")

	t.Run("a life that began before its events began on its created date", func(t *testing.T) {
		t.Parallel()
		b := again(t, a)
		require.Nil(t, b.Apply(created((today()-100).String()), today().Start()))
		require.Equal(t, day(100), b.Facts(set).First)
		require.Equal(t, *day(97), b.Facts(set).Milestones[0].Due)
	})
	t.Run("a pulse without words has none of those before it", func(t *testing.T) {
		t.Parallel()
		b := again(t, a)
		require.Nil(t, b.Apply(touch(meeting, 0), today().Start()))
		require.Equal(t, "they grow", b.Facts(set).Pulse.Note, "no pulse")
		require.Nil(t, b.Apply(touch(meeting, 1), today().Start()))
		require.Empty(t, again(t, b).Facts(set).Pulse.Note)
	})
	t.Run("an old pulse does not count", func(t *testing.T) {
		t.Parallel()
		b := again(t, a)
		b.Roll(today()+88, set, func(health.Row) {})
		require.False(t, b.Facts(set).Pulse.Current)
	})
	t.Run("without an event there is nothing", func(t *testing.T) {
		t.Parallel()
		b := health.New()
		b.Begin(today())
		require.Equal(t, health.Facts{Milestones: []health.MilestoneFact{
			{Feature: "invite", Due: today() + 3}, {Feature: "never", Due: today() + 9},
		}}, b.Facts(set))
	})
}

func TestWordsOfAPulseAreBounded(t *testing.T) {
	t.Parallel()
	talk := touch(meeting, 4)
	talk.GetInteraction().Author, talk.GetInteraction().Note = strings.Repeat("a", 300), strings.Repeat("\u00e9", 600)+"x"
	a := apply(t, health.New(), on(0, talk))
	p := a.Facts(standard(t)).Pulse
	require.Len(t, p.Author, 256)
	require.Equal(t, strings.Repeat("\u00e9", 512), p.Note)
	odd := touch(meeting, 4)
	odd.GetInteraction().Note = "x" + strings.Repeat("\u00e9", 600)
	require.Len(t, apply(t, health.New(), on(0, odd)).Facts(standard(t)).Pulse.Note, 1023, "no half letter")
}

func TestFactsOfASampleSaySo(t *testing.T) {
	t.Parallel()
	a := health.New()
	a.Begin(today())
	for i := range 66_000 {
		applyAt(t, a, login(fmt.Sprint("user ", i)), today().Start())
	}
	f := a.Facts(standard(t))
	require.True(t, f.Sampled)
	require.EqualValues(t, 1, f.UsersLevel)
	require.InDelta(t, 33_000, len(f.Users), 1000)
	require.IsIncreasing(t, []string{f.Users[0].ID, f.Users[1].ID, f.Users[len(f.Users)-1].ID})
}
