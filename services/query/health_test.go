package query_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query"
)

const day = int64(86_400_000_000)

func TestGetHealth(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			w.score(home, "acme", noon(), 0, used("acme"), profiled("acme", &eventv1.Account{
				Name: new("Acme"), ArrMicros: proto.Int64(1_500_000), Currency: new("EUR"),
				Seats: proto.Int64(4), RenewalDate: new("2026-12-31"), Owner: new("ann"),
				Traits: []*eventv1.Trait{
					{Name: "text", Value: &eventv1.Trait_Text{Text: "x"}},
					{Name: "number", Value: &eventv1.Trait_NumberMicros{NumberMicros: -1_250_000}},
					{Name: "flag", Value: &eventv1.Trait_Flag{Flag: true}},
				},
			}))

			got, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
			require.NoError(t, err)
			requireExplained(t, got.GetHealth())

			h := got.GetHealth()
			require.Equal(t, "acme", h.GetAccountId())
			require.Equal(t, healthv1.Stage_STAGE_ONBOARDING, h.GetStage())
			require.Equal(t, "onboarding", h.GetScorecard())
			require.Equal(t, "2026-03-10", h.GetDay())
			require.Equal(t, noon(), h.GetAsOf().AsTime().UnixMicro())
			require.False(t, h.GetApproximate())

			p := h.GetProfile()
			require.Equal(t, "Acme", p.GetName())
			require.InDelta(t, 1.5, p.GetArr(), 0)
			require.Equal(t, "2026-12-31", p.GetRenewalDate())
			require.Equal(t, map[string]string{"text": "x", "number": "-1.25", "flag": "true"}, p.GetTraits())
		})
	}
}

// requireExplained checks that contributions add up.
func requireExplained(t *testing.T, h *healthv1.AccountHealth) {
	t.Helper()

	var all float64

	for _, d := range h.GetDimensions() {
		var own float64

		for _, m := range d.GetMeasures() {
			require.NotEmpty(t, m.GetName())
			require.NotEmpty(t, m.GetUnit())
			require.Equal(t, m.Value == nil, m.Points == nil)

			own += m.GetContribution()
		}

		require.InDelta(t, d.GetContribution(), own, 1e-9)

		all += own
	}

	require.NotNil(t, h.Score) // whether it is set
	require.InDelta(t, h.GetScore(), all, 1e-9)
}

func TestGetHealthOnALaterDay(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))

	before, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)

	w.tick(noon() + 5*day) // nobody has rolled the account yet

	after, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Equal(t, "2026-03-15", after.GetHealth().GetDay())
	require.Less(t, after.GetHealth().GetScore(), before.GetHealth().GetScore())
	requireExplained(t, after.GetHealth())

	rows, err := w.health().GetHistory(w.as(access.RoleViewer), &healthv1.GetHistoryRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Len(t, rows.GetRows(), 6)
	require.InDelta(t, after.GetHealth().GetScore(), rows.GetRows()[5].GetScore(), 0)
}

func TestGetHealthOfALargeAccount(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))

	events := make([]*eventv1.Event, 0, 600)
	for i := range cap(events) {
		e := used("big")
		e.UserId = fmt.Sprint("user-", i)
		events = append(events, e)
	}

	events = append(events, profiled("big", &eventv1.Account{Seats: proto.Int64(600)}))
	w.score(home, "big", noon(), 0, events...)

	got, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "big"})
	require.NoError(t, err)
	require.InDelta(t, 100, got.GetHealth().GetDimensions()[0].GetMeasures()[1].GetValue(), 0)

	require.Eventually(t, func() bool {
		list, err := w.health().ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{})

		return err == nil && list.GetTotalSize() == 1 &&
			list.GetAccounts()[0].GetScore() == got.GetHealth().GetScore()
	}, patience, time.Millisecond)
}

func TestGetHealthByScorecardsInForce(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))
	w.score("other", "acme", noon(), 0, used("acme"))

	document := strings.Replace(string(scorecard.ShippedDocument()), "name: onboarding", "name: newcomers", 1)

	for version := uint64(3); version < 12; version++ {
		w.setScorecards(home, version, []byte(document), nil)

		got, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
		require.NoError(t, err)
		require.Equal(t, version, got.GetHealth().GetScorecardVersion())
		require.Equal(t, "newcomers", got.GetHealth().GetScorecard())
	}

	other := withKey(t.Context(), w.newKey("other", access.RoleViewer))
	require.Eventually(t, func() bool {
		got, err := w.health().GetHealth(other, &healthv1.GetHealthRequest{AccountId: "acme"})

		return err == nil && got.GetHealth().GetScorecard() == "onboarding"
	}, patience, 10*time.Millisecond)
}

func TestRefusals(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.MaxWait = 20 * time.Millisecond })
	w.score(home, "acme", noon(), 0, used("acme"))

	other := start(t, openMemory(t))
	foreign, _, _ := other.write(other.writer(), "acme")

	health, admin := w.health(), w.admin()
	get := func(key string, req *healthv1.GetHealthRequest) error {
		ctx := t.Context()
		if key != "" {
			ctx = withKey(ctx, key)
		}

		_, err := health.GetHealth(ctx, req)

		return err
	}
	acme := &healthv1.GetHealthRequest{AccountId: "acme"}
	queryKey := w.keys[access.RoleViewer]

	requireError(t, get("", acme), codes.Unauthenticated, "KEY_MISSING")
	requireError(t, get("x", acme), codes.Unauthenticated, "KEY_UNKNOWN")
	requireError(t, get(w.keys[access.RoleIngest], acme), codes.PermissionDenied, "KEY_WRONG_KIND")
	require.NoError(t, get(w.keys[access.RoleAdmin], acme))

	requireError(t, get(queryKey, &healthv1.GetHealthRequest{AccountId: "nobody"}), codes.NotFound, "ACCOUNT_NOT_FOUND")
	requireError(t, get(withOther(w), acme), codes.NotFound, "ACCOUNT_NOT_FOUND")

	fields := requireError(t, get(queryKey, &healthv1.GetHealthRequest{}), codes.InvalidArgument, "REQUEST_INVALID")
	require.Equal(t, []string{"account_id"}, fields)

	for _, token := range []string{"x", foreign, "%%%"} {
		requireError(t, get(queryKey, &healthv1.GetHealthRequest{AccountId: "acme", AtLeast: token}),
			codes.InvalidArgument, "TOKEN_UNKNOWN")
	}

	for _, req := range []*healthv1.GetHistoryRequest{
		{AccountId: "acme", FromDate: "2026-02-30"},
		{AccountId: "acme", ToDate: "2026-13-01"},
		{AccountId: "acme", FromDate: "2026-02-02", ToDate: "2026-02-01"},
		{AccountId: "acme", FromDate: "yesterday"},
	} {
		_, err := health.GetHistory(withKey(t.Context(), queryKey), req)
		require.Len(t, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"), 1)
	}

	_, err := health.GetHistory(withKey(t.Context(), queryKey), &healthv1.GetHistoryRequest{AccountId: "nobody"})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")

	_, err = health.ListAccounts(withKey(t.Context(), queryKey), &healthv1.ListAccountsRequest{OrderBy: "beauty"})
	require.Equal(t, []string{"order_by"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	_, err = health.ListAccounts(withKey(t.Context(), queryKey), &healthv1.ListAccountsRequest{PageToken: "x"})
	requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")
	_, err = health.ListAccounts(withKey(t.Context(), queryKey), &healthv1.ListAccountsRequest{PageSize: 1001})
	require.Equal(t, []string{"page_size"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	_, err = health.ListRejects(withKey(t.Context(), queryKey), &healthv1.ListRejectsRequest{PageToken: "AgE"})
	requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")

	requireAdminOnly(t, w, queryKey)

	tail, err := admin.TailEvents(withKey(t.Context(), queryKey), nil)
	if err == nil {
		_, err = tail.Recv()
	}

	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
}

// withOther is a query key of another workspace.
func withOther(w *world) string {
	key := w.newKey("other", access.RoleViewer)

	require.Eventually(w.tb, func() bool {
		_, err := w.health().ListAccounts(withKey(w.tb.Context(), key), &healthv1.ListAccountsRequest{})

		return err == nil
	}, patience, 10*time.Millisecond)

	return key
}

func TestGetHistory(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			for i := range int64(250) { // three eras
				w.score(home, "acme", noon()+i*day, 0, used("acme"))
			}

			get := func(req *healthv1.GetHistoryRequest) []*healthv1.HistoryRow {
				req.AccountId = "acme"
				got, err := w.health().GetHistory(w.as(access.RoleViewer), req)
				require.NoError(t, err)

				return got.GetRows()
			}

			rows := get(&healthv1.GetHistoryRequest{})
			require.Len(t, rows, 250)

			first := health.DayOf(noon())
			for i, r := range rows {
				require.Equal(t, (first + health.Day(i)).String(), r.GetDay())
				require.NotNil(t, r.Score) // whether it is set
				require.NotEmpty(t, r.GetDimensions())
			}

			require.Equal(t, "2026-03-11", get(&healthv1.GetHistoryRequest{FromDate: "2026-03-11"})[0].GetDay())
			require.Len(t, get(&healthv1.GetHistoryRequest{ToDate: "2026-03-11"}), 2)
			require.Len(t, get(&healthv1.GetHistoryRequest{FromDate: "2026-05-01", ToDate: "2026-05-31"}), 31)
			require.Empty(t, get(&healthv1.GetHistoryRequest{FromDate: "2030-01-01"}))
		})
	}
}

func TestChurnedAccount(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))
	w.score(home, "acme", noon()+day, 0, profiled("acme", &eventv1.Account{ChurnDate: new("2026-03-11")}))
	w.tick(noon() + 9*day)

	got, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Equal(t, healthv1.Stage_STAGE_CHURNED, got.GetHealth().GetStage())
	require.NotNil(t, got.GetHealth().Score) // whether it is set

	rows, err := w.health().GetHistory(w.as(access.RoleViewer), &healthv1.GetHistoryRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Len(t, rows.GetRows(), 1)
}

func TestListAccounts(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := prepare(t, open(t))
			rnd := rand.New(rand.NewPCG(1, 1))

			for i := range 150 { // there before the service starts
				w.score(home, accountID(i), noon(), 0, used(accountID(i)), profiled(accountID(i), &eventv1.Account{
					Name: new(fmt.Sprint("Name ", rnd.IntN(20))), ArrMicros: new(rnd.Int64N(1e12)),
					Plan: new("pro"), Segment: new("mid"), Currency: new("USD"),
				}))
			}

			w.score("other", "hidden", noon(), 0, used("hidden"))
			w.run()
			require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

			for i := range 50 { // and after
				w.score(home, accountID(150+i), noon()+int64(i), 0, used(accountID(150+i)))
			}

			client := w.health()
			require.Eventually(t, func() bool {
				got, err := client.ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{})

				return err == nil && got.GetTotalSize() == 200
			}, patience, 10*time.Millisecond)

			for _, order := range []string{"", "score desc", "name", "name desc", "arr desc", "account_id"} {
				seen := map[string]int{}

				var (
					token string
					named = true
				)

				for {
					got, err := client.ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{
						OrderBy: order, PageSize: 33, PageToken: token,
					})
					require.NoError(t, err)
					require.NotNil(t, got.GetAsOf())

					for _, a := range got.GetAccounts() {
						seen[a.GetAccountId()]++

						if strings.HasPrefix(order, "name") {
							require.True(t, named || a.GetName() == "", "accounts without a name come last")
							named = a.GetName() != ""
						}
					}

					if token = got.GetNextPageToken(); token == "" {
						break
					}

					require.Len(t, got.GetAccounts(), 33)
					w.score(home, "moving", noon()+rnd.Int64N(1000), 0, used("moving"))
				}

				delete(seen, "moving")
				require.Len(t, seen, 200, order)

				for id, n := range seen {
					require.Equal(t, 1, n, id)
				}
			}
		})
	}
}

func TestReadyTellsWhyNot(t *testing.T) {
	t.Parallel()

	w := prepare(t, failing{openMemory(t)})
	w.run()

	require.Eventually(t, func() bool {
		err := w.service.Ready()

		return err != nil && strings.Contains(err.Error(), "down for repair")
	}, patience, time.Millisecond)

	_, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
	requireError(t, err, codes.Unavailable, "STORE_UNAVAILABLE")
	require.NotContains(t, err.Error(), "repair", "what is inside stays inside")

	_, err = w.health().ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{})
	requireError(t, err, codes.Unavailable, "LISTS_FILLING")
}

var errRepair = errors.New("down for repair")
