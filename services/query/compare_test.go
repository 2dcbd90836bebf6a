package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// micros takes a number of an answer as what it was made from.
func micros(f float64) int64 { return int64(math.Round(f * 1e6)) }

// requireSum checks that a comparison adds up, to the micro.
func requireSum(t *testing.T, r *healthv1.CompareHealthResponse) {
	t.Helper()

	sum := micros(r.GetScorecardChange())

	for _, d := range r.GetDimensions() {
		var own int64
		for _, m := range d.GetMeasures() {
			own += micros(m.GetChange())
		}

		require.Equal(t, own, micros(d.GetChange()), d.GetName())
		sum += own
	}

	require.NotNil(t, r.Change) // whether it is set
	require.Equal(t, micros(r.GetChange()), sum)
	require.Equal(t, micros(r.GetTo().GetScore())-micros(r.GetFrom().GetScore()), sum)
}

// measureOf finds a measure of a comparison.
func measureOf(t *testing.T, r *healthv1.CompareHealthResponse, name string) *healthv1.MeasureChange {
	t.Helper()

	for _, d := range r.GetDimensions() {
		for _, m := range d.GetMeasures() {
			if m.GetName() == name {
				return m
			}
		}
	}

	require.Fail(t, "no such measure", name)

	return nil
}

// opened is the opening of a ticket of acme.
func opened(id string) *eventv1.Event {
	return &eventv1.Event{MessageId: "open-" + id, AccountId: "acme", Body: &eventv1.Event_Ticket{
		Ticket: &eventv1.Ticket{TicketId: id, Action: eventv1.Ticket_ACTION_OPENED},
	}}
}

// decline is a story of acme that ends at noon: it was used daily until 10 days before, and opened three tickets on each
// day since.
func decline(t *testing.T, s store.Store) *world {
	t.Helper()

	w := start(t, s)

	for ago := int64(20); ago >= 0; ago-- {
		var events []*eventv1.Event
		if ago >= 10 {
			events = append(events, used("acme"))
		} else {
			for i := range 3 {
				events = append(events, opened(fmt.Sprintf("t-%d-%d", ago, i)))
			}
		}

		w.score(home, "acme", noon()-ago*day, 0, events...)
	}

	return w
}

func (w *world) compare(from, to string) (*healthv1.CompareHealthResponse, error) {
	return w.health().CompareHealth(w.as(access.RoleViewer), &healthv1.CompareHealthRequest{
		AccountId: "acme", FromDate: from, ToDate: to,
	})
}

func TestCompareHealth(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := decline(t, open(t))

			got, err := w.compare("2026-02-27", "") // 11 days ago
			require.NoError(t, err)
			requireSum(t, got)
			require.Less(t, got.GetChange(), 0.0)
			require.Zero(t, got.GetScorecardChange())
			require.Equal(t, "2026-02-27", got.GetFrom().GetDay())
			require.Equal(t, "2026-03-10", got.GetTo().GetDay())
			require.Equal(t, "onboarding", got.GetTo().GetScorecard())

			tickets := measureOf(t, got, "open_tickets")
			require.Nil(t, tickets.FromValue, "no ticket was known then")
			require.InDelta(t, 60, tickets.GetToValue(), 0)
			require.Len(t, tickets.GetDrivers(), 20)
			require.Equal(t, int32(10), tickets.GetMoreDrivers())
			require.Equal(t, healthv1.Driver_KIND_TICKET_OPENED, tickets.GetDrivers()[0].GetKind())
			require.Equal(t, "t-0-0", tickets.GetDrivers()[0].GetSubject())
			require.Equal(t, "2026-03-10", tickets.GetDrivers()[0].GetDay())

			stopped := measureOf(t, got, "features_used").GetDrivers()
			require.Len(t, stopped, 1)
			require.Equal(t, healthv1.Driver_KIND_FEATURE_STOPPED, stopped[0].GetKind())
			require.Equal(t, "report", stopped[0].GetSubject())
			require.Equal(t, "2026-02-28", stopped[0].GetDay())

			now, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
			require.NoError(t, err)
			require.InDelta(t, now.GetHealth().GetScore(), got.GetTo().GetScore(), 0)

			week, err := w.compare("", "")
			require.NoError(t, err)
			require.Equal(t, "2026-03-03", week.GetFrom().GetDay(), "a week, unless said")
			requireSum(t, week)

			same, err := w.compare("2026-03-10", "2026-03-10")
			require.NoError(t, err)
			requireSum(t, same)
			require.Zero(t, same.GetChange())
		})
	}
}

func TestCompareHealthAcrossScorecards(t *testing.T) {
	t.Parallel()

	w := decline(t, openMemory(t))

	// The third version counts features for more, the fourth has another name for its card.
	third := strings.NewReplacer(
		"weight: 45\n", "weight: 55\n", "- name: features_used\n            weight: 5\n", "- name: features_used\n            weight: 15\n",
		"weight: 25\n        measures:\n          - name: days_since_seen\n            weight: 25\n",
		"weight: 15\n        measures:\n          - name: days_since_seen\n            weight: 15\n",
	).Replace(string(scorecard.ShippedDocument()))
	require.NotEqual(t, string(scorecard.ShippedDocument()), third)

	w.setScorecards(home, 3, []byte(third), nil)
	w.score(home, "acme", noon(), 0)
	w.score(home, "acme", noon()+day, 0)
	w.setScorecards(home, 4, []byte(strings.Replace(third, "name: onboarding", "name: newcomers", 1)), nil)
	w.score(home, "acme", noon()+day, 0)
	w.score(home, "acme", noon()+2*day, 0)

	requireCompared := func(w *world) {
		shipped, err := w.compare("2026-03-09", "2026-03-10")
		require.NoError(t, err)
		requireSum(t, shipped)
		require.Equal(t, uint64(0), shipped.GetFrom().GetScorecardVersion())
		require.Equal(t, uint64(3), shipped.GetTo().GetScorecardVersion())
		require.NotZero(t, shipped.GetScorecardChange())

		renamed, err := w.compare("2026-03-10", "2026-03-12")
		require.NoError(t, err)
		requireSum(t, renamed)
		require.Equal(t, uint64(3), renamed.GetFrom().GetScorecardVersion())
		require.Equal(t, "newcomers", renamed.GetTo().GetScorecard())
		require.Zero(t, renamed.GetScorecardChange(), "it counts the same")
		require.NotZero(t, renamed.GetChange())
	}

	requireCompared(w)

	later := w.beside() // has never seen the old documents
	later.run()
	require.Eventually(t, func() bool { return later.service.Ready() == nil }, patience, time.Millisecond)
	requireCompared(later)
}

func TestCompareHealthSaysWhatIsMissing(t *testing.T) {
	t.Parallel()

	w := decline(t, openMemory(t))
	message := func(from, to string) string {
		_, err := w.compare(from, to)
		requireError(t, err, codes.NotFound, "HISTORY_MISSING")

		return status.Convert(err).Message()
	}

	require.Equal(t, "from_date: the account has no score of 2026-02-17 or the 6 days before; there are scores from "+
		"2026-02-18 to 2026-03-10", message("2026-02-17", ""))
	require.Contains(t, message("2026-03-01", "2026-03-17"), "to_date: the account has no score of 2026-03-17")

	_, err := w.compare("2026-03-01", "2026-03-16")
	require.NoError(t, err, "6 days after the last is near enough")

	_, err = w.compare("2026-03-09", "2026-03-08")
	require.Equal(t, []string{"to_date"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	for _, c := range []struct{ from, to, field string }{
		{ahead(2), "", "from_date"},
		{ahead(2), ahead(3), "from_date"},
		{"2026-03-01", ahead(2), "to_date"},
		{"", ahead(2), "to_date"},
		{"2026-03-11", "", "from_date"}, // for this account it is the 10th
	} {
		_, err = w.compare(c.from, c.to)
		require.Equal(t, []string{c.field}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"), c)
	}

	_, err = w.health().CompareHealth(w.as(access.RoleViewer), &healthv1.CompareHealthRequest{AccountId: "nobody"})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")

	t.Run("a version that nobody keeps explains nothing", func(t *testing.T) {
		document := scorecard.ShippedDocument()
		w.setScorecards(home, 5, document, nil)
		w.score(home, "acme", noon()+day, 0)
		w.mu.Lock()
		n := w.log.Layout().Partition(home, "acme")
		w.commit(n, &store.Commit{Delete: []string{store.ScorecardsVersionKey(home, 5)}}, noon()+day, 0)
		w.mu.Unlock()
		w.setScorecards(home, 6, document, nil)
		w.score(home, "acme", noon()+2*day, 0)

		later := w.beside()
		later.run()
		require.Eventually(t, func() bool { return later.service.Ready() == nil }, patience, time.Millisecond)

		_, err := later.compare("2026-03-11", "2026-03-12")
		requireError(t, err, codes.NotFound, "HISTORY_MISSING")
		require.Equal(t, "from_date: what the score of 2026-03-11 was made of is not known", status.Convert(err).Message())
	})
}

func TestCompareHealthOfAChurnedAccount(t *testing.T) {
	t.Parallel()

	w := decline(t, openMemory(t))
	w.score(home, "acme", noon()+day, 0, profiled("acme", &eventv1.Account{ChurnDate: new("2026-03-11")}))
	w.tick(noon() + 9*day)

	got, err := w.compare("2026-03-05", "2026-03-10")
	require.NoError(t, err, "the days before")
	requireSum(t, got)

	_, err = w.compare("", "")
	requireError(t, err, codes.NotFound, "HISTORY_MISSING")
	require.Contains(t, status.Convert(err).Message(), "there are scores from 2026-02-18 to 2026-03-10")
}
