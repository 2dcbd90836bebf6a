package query_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// usedBy is a usage event of a feature by a user of acme.
func usedBy(user, feature string) *eventv1.Event {
	return &eventv1.Event{
		MessageId: user + "-" + feature, AccountId: "acme", UserId: user,
		Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: feature}},
	}
}

// surveyed is an answer to a survey of acme.
func surveyed(id string, kind eventv1.Survey_Type, score int32) *eventv1.Event {
	return &eventv1.Event{MessageId: id, AccountId: "acme", Body: &eventv1.Event_Survey{Survey: &eventv1.Survey{
		Type: kind, Action: eventv1.Survey_ACTION_ANSWERED, Score: &score,
	}}}
}

func (w *world) facts(limit int32) *healthv1.Facts {
	w.tb.Helper()

	got, err := w.health().GetFacts(w.as(access.RoleViewer), &healthv1.GetFactsRequest{AccountId: "acme", Limit: limit})
	require.NoError(w.tb, err)

	return got.GetFacts()
}

func TestGetFacts(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			w.setScorecards(home, 3, withMilestones("chart", "export", "invite"), nil)

			old := noon() - 40*day
			w.score(home, "acme", old, 0, usedBy("ann", "old"), usedBy("bob", "report"))
			w.score(home, "acme", old+5*day, 0, usedBy("bob", "chart"))

			urgent := opened("b")
			urgent.GetTicket().Severity = eventv1.Ticket_SEVERITY_URGENT

			w.score(home, "acme", noon()-day, 0, usedBy("cat", "report"), opened("a"), urgent,
				surveyed("s-1", eventv1.Survey_TYPE_NPS, 9), surveyed("s-2", eventv1.Survey_TYPE_NPS, 3),
				surveyed("s-3", eventv1.Survey_TYPE_CES, 4), surveyed("s-4", eventv1.Survey_TYPE_CES, 5),
				&eventv1.Event{MessageId: "i", AccountId: "acme", Body: &eventv1.Event_Interaction{
					Interaction: &eventv1.Interaction{Kind: eventv1.Interaction_KIND_CALL, Pulse: new(int32(2))},
				}})
			w.score(home, "acme", noon(), 0)

			f := w.facts(0)
			require.Equal(t, "acme", f.GetAccountId())
			require.Equal(t, "2026-03-10", f.GetDay())
			require.Equal(t, "2026-01-29", f.GetFirstDate())
			require.Equal(t, "2026-03-09", f.GetLastSeenDate())
			require.Equal(t, "2026-03-09", f.GetLastTouchDate())

			require.Equal(t, []int64{1, 2}, []int64{f.GetUsersSeen(), f.GetUsersUnseen()})
			require.Equal(t, "cat", f.GetUsers()[0].GetUserId(), "the last seen first")
			require.Equal(t, []int64{1, 2}, []int64{f.GetFeaturesUsed(), f.GetFeaturesStopped()})
			require.Equal(t, "report", f.GetFeatures()[0].GetFeature())
			require.Equal(t, "2026-01-29", f.GetFeatures()[0].GetFirstDate())
			require.False(t, f.GetFeatures()[0].GetStopped())
			require.True(t, f.GetFeatures()[1].GetStopped())
			require.Equal(t, []string{"export", "invite"}, f.GetFeaturesUnused(), "chart was used once")

			require.Equal(t, int64(2), f.GetTicketsOpen())
			require.Equal(t, "b", f.GetOpenTickets()[0].GetTicketId(), "the heaviest first")
			require.Equal(t, noon()-day, f.GetOpenTickets()[0].GetOpenedAt().AsTime().UnixMicro())

			nps, ces := f.GetSurveys()[0], f.GetSurveys()[2]
			require.Equal(t, []int64{2, 1, 1}, []int64{nps.GetAnswers(), nps.GetFavorable(), nps.GetUnfavorable()})
			require.Equal(t, int64(2), ces.GetAnswers())
			require.InDelta(t, 4.5, ces.GetMean(), 0)
			require.Nil(t, f.GetSurveys()[1].Mean) // whether it is set

			require.Equal(t, "2026-02-03", f.GetMilestones()[0].GetReachedDate())
			require.Equal(t, int32(5), f.GetDaysToFirstValue(), "from the first day to the first milestone")
			require.Equal(t, int32(2), f.GetPulse().GetPulse())
			require.True(t, f.GetPulse().GetCurrent())

			short := w.facts(1)
			require.Len(t, short.GetUsers(), 1)
			require.Len(t, short.GetFeatures(), 1)
			require.Len(t, short.GetOpenTickets(), 1)
			require.Equal(t, []string{"export"}, short.GetFeaturesUnused())
			require.Equal(t, f.GetUsersUnseen(), short.GetUsersUnseen(), "counts are not cut off")
			require.Equal(t, f.GetTicketsOpen(), short.GetTicketsOpen())
		})
	}
}

// withMilestones is a document of scorecards with milestones, due on day 10, 20 and so on.
func withMilestones(features ...string) []byte {
	document := "kind: scorecards\nmilestones:\n"
	for i, f := range features {
		document += fmt.Sprintf("  - {feature: %s, due_day: %d}\n", f, 10*(i+1))
	}

	return []byte(document + "scorecards:\n  - name: all\n    dimensions:\n      - name: adoption\n        weight: 100\n" +
		"        measures:\n          - {name: features_used, weight: 60}\n          - {name: milestones, weight: 40}\n")
}

func TestDaysToFirstValue(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon()-9*day, 0, profiled("acme", &eventv1.Account{CreatedDate: new("2026-02-27")}))
	require.Nil(t, w.facts(0).DaysToFirstValue, "nothing was used yet")

	w.score(home, "acme", noon(), 0, usedBy("ann", "report"))
	require.Equal(t, int32(11), w.facts(0).GetDaysToFirstValue(), "to the first use, as there are no milestones")
	require.Empty(t, w.facts(0).GetFeaturesUnused())

	w.setScorecards(home, 3, withMilestones("chart"), nil)
	require.Nil(t, w.facts(0).DaysToFirstValue, "to the first milestone")
}

func TestFeaturesThatOthersUse(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			w.setScorecards(home, 3, withMilestones("chart", "export"), nil)

			theirs := func(account, feature string) *eventv1.Event {
				e := usedBy("ann", feature)
				e.MessageId, e.AccountId = account+feature, account

				return e
			}

			w.score(home, "acme", noon()-100*day, 0, usedBy("ann", "report"), usedBy("ann", "chart"))
			w.score(home, "acme", noon(), 0)
			w.score(home, "old", noon()-90*day, 0, theirs("old", "forgotten"))
			w.score(home, "edge", noon()-89*day, 0, theirs("edge", "rare"))
			w.score(home, "zeta", noon()-day, 0, theirs("zeta", "report"), theirs("zeta", "beta"), theirs("zeta", "alpha"))
			w.score("other", "acme", noon(), 0, theirs("acme", "hidden"))

			// One that stands in parts.
			var many []*eventv1.Event
			for i := range 300 {
				many = append(many, theirs("big", fmt.Sprintf("feature-%03d", i)))
			}

			w.score(home, "big", noon()-2*day, 0, many...)

			want := []string{"export", "alpha", "beta"}
			for i := range 300 {
				want = append(want, fmt.Sprintf("feature-%03d", i))
			}

			want = append(want, "rare")

			unused := func(w *world) []string { return w.facts(1000).GetFeaturesUnused() }
			require.Eventually(t, func() bool { return slices.Equal(want, unused(w)) }, patience, time.Millisecond,
				"milestones first, then what others use")
			require.Zero(t, w.facts(1000).GetMoreFeaturesUnused())

			short := w.facts(2)
			require.Equal(t, want[:2], short.GetFeaturesUnused())
			require.EqualValues(t, len(want)-2, short.GetMoreFeaturesUnused())

			beside := w.beside()
			beside.run()
			require.Eventually(t, func() bool { return beside.service.Ready() == nil }, patience, time.Millisecond)
			require.Equal(t, want, unused(beside), "another process knows the same once it is filled")
		})
	}
}

func TestFactsOfNobody(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	_, err := w.health().GetFacts(w.as(access.RoleViewer), &healthv1.GetFactsRequest{AccountId: "nobody"})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")

	_, err = w.health().GetFacts(w.as(access.RoleViewer), &healthv1.GetFactsRequest{AccountId: "acme", Limit: 1001})
	requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
}

func TestAQuietCustomerIsNoBrokenSource(t *testing.T) {
	t.Parallel()

	w, scorer, _ := careWorld(t, openMemory(t))
	source := func(name string) *healthv1.SourceFact {
		for _, s := range w.facts(0).GetSources() {
			if s.GetSource() == name {
				return s
			}
		}

		return nil
	}
	await := func(name string, state healthv1.SourceFact_State) {
		t.Helper()
		// What other partitions know comes a moment later.
		require.Eventually(t, func() bool { return source(name).GetState() == state }, patience, time.Millisecond)
	}

	require.Len(t, w.facts(0).GetSources(), 5)
	require.Equal(t, healthv1.SourceFact_STATE_ACTIVE, source("usage").GetState())
	require.NotNil(t, source("usage").GetLastEventAt())
	require.Positive(t, source("usage").GetCoverage())
	require.Equal(t, healthv1.SourceFact_STATE_NEVER, source("ticket").GetState())
	require.Nil(t, source("ticket").GetWorkspaceLastEventAt())
	require.Zero(t, source("ticket").GetCoverage())

	theirs := opened("x")
	theirs.AccountId = "zeta"
	scorer.event(home, recorded(theirs))
	await("ticket", healthv1.SourceFact_STATE_ACCOUNT_QUIET)
	require.Nil(t, source("ticket").GetLastEventAt(), "it never had any")

	scorer.pass(5 * time.Hour)
	require.Equal(t, healthv1.SourceFact_STATE_ACTIVE, source("usage").GetState())
	scorer.pass(2 * time.Hour)
	await("ticket", healthv1.SourceFact_STATE_SOURCE_SPARSE)
	require.Equal(t, healthv1.SourceFact_STATE_ACTIVE, source("usage").GetState(), "its own event is known")
	require.InDelta(t, 7*3600, source("usage").GetLagSeconds(), patience.Seconds())
	require.Zero(t, source("usage").GetSilentAfterSeconds())

	for i := range 7 {
		scorer.pass(24 * time.Hour)

		e := used("zeta")
		e.MessageId = fmt.Sprint("daily-", i)
		scorer.event(home, recorded(e))
	}

	await("usage", healthv1.SourceFact_STATE_ACTIVE)
	require.Eventually(t, func() bool { return source("usage").GetSilentAfterSeconds() > 0 }, patience, time.Millisecond)
	require.InDelta(t, 4*31*3600, source("usage").GetSilentAfterSeconds(), 4*3600, "the first pause was the longest")
	scorer.pass(4 * 33 * time.Hour)
	await("usage", healthv1.SourceFact_STATE_SOURCE_SILENT)

	scorer.pass(15 * 24 * time.Hour)
	scorer.event(home, recorded(used("zeta")))
	await("usage", healthv1.SourceFact_STATE_ACCOUNT_QUIET)
	require.Less(t, source("usage").GetLagSeconds(), int64(patience.Seconds()))
}
