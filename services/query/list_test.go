package query_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/scorecard"
)

// listed waits until the workspace has so many accounts in its lists.
func (w *world) awaitListed(n int32) {
	w.tb.Helper()

	require.Eventually(w.tb, func() bool {
		got, err := w.health().ListAccounts(w.as(access.RoleQuery), &healthv1.ListAccountsRequest{PageSize: 1})

		return err == nil && got.GetTotalSize() == n
	}, patience, 10*time.Millisecond)
}

// sample has accounts of two owners.
func sample(t *testing.T) *world {
	t.Helper()

	w := start(t, openMemory(t))

	for i := range 40 {
		id := accountID(i)
		w.score(home, id, noon(), 0, used(id), profiled(id, &eventv1.Account{
			Name: new(fmt.Sprint("Name ", i)), ArrMicros: new(int64(i) * 1e9), Currency: new("USD"),
			Owner: new([]string{"kim", "sam"}[i%2]), RenewalDate: new("2026-04-01"),
		}))
	}

	w.awaitListed(40)

	return w
}

func TestListsAreFilteredOrderedAndCounted(t *testing.T) {
	t.Parallel()

	w := sample(t)
	req := &healthv1.ListAccountsRequest{
		Filter: "owner = kim AND arr >= 10000", OrderBy: "worklist,name desc", PageSize: 4, CountTotal: true,
	}

	var all []*healthv1.AccountSummary

	for {
		got, err := w.health().ListAccounts(w.as(access.RoleQuery), req)
		require.NoError(t, err)
		require.Equal(t, int32(15), got.GetTotalSize())

		all = append(all, got.GetAccounts()...)

		if req.PageToken = got.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}

	require.Len(t, all, 15)

	for i, a := range all {
		require.Equal(t, "kim", a.GetOwner())
		require.GreaterOrEqual(t, a.GetArr(), 10_000.0)
		require.Equal(t, "2026-04-01", a.GetRenewalDate())

		if i > 0 {
			require.LessOrEqual(t, a.GetArrAtRisk(), all[i-1].GetArrAtRisk(), "the most pressing first")
		}
	}

	req.CountTotal = false
	got, err := w.health().ListAccounts(w.as(access.RoleQuery), req)
	require.NoError(t, err)
	require.Zero(t, got.GetTotalSize(), "nobody asked for it")
}

func TestListsRefuseWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()

	w := sample(t)
	list := func(req *healthv1.ListAccountsRequest) (*healthv1.ListAccountsResponse, error) {
		return w.health().ListAccounts(w.as(access.RoleQuery), req)
	}

	for field, req := range map[string]*healthv1.ListAccountsRequest{
		"filter":             {Filter: "mood = good"},
		"order_by":           {OrderBy: "score,score"},
		"read_mask.paths[0]": {ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"mood"}}},
	} {
		_, err := list(req)
		require.Equal(t, []string{field}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	}

	_, err := list(&healthv1.ListAccountsRequest{Filter: `in_segment("vip")`})
	require.ErrorContains(t, err, `at 11: there is no segment "vip"`)

	first, err := list(&healthv1.ListAccountsRequest{PageSize: 1, Filter: "owner = kim"})
	require.NoError(t, err)

	for _, req := range []*healthv1.ListAccountsRequest{
		{}, {Filter: "owner = sam"}, {Filter: "owner = kim", OrderBy: "name"},
	} {
		req.PageToken = first.GetNextPageToken()
		_, err = list(req)
		requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")
	}
}

func TestListsShowMeasuresByOwnScorecards(t *testing.T) {
	t.Parallel()

	w := prepare(t, openMemory(t))
	document := strings.Replace(string(scorecard.ShippedDocument()), "name: onboarding", "name: newcomers", 1)

	w.score(home, "acme", noon(), 0, used("acme"))
	w.setScorecards(home, 3, []byte(document), nil)
	w.score(home, "acme", noon()+1, 0, used("acme"))
	w.score(home, "other", noon(), 0, used("other"))
	w.run()

	require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

	got, err := w.health().ListAccounts(w.as(access.RoleQuery), &healthv1.ListAccountsRequest{
		Filter: "scorecard = newcomers AND features_used:*", ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}},
	})
	require.NoError(t, err)
	require.Len(t, got.GetAccounts(), 2)

	for _, a := range got.GetAccounts() {
		one, err := w.health().GetHealth(w.as(access.RoleQuery), &healthv1.GetHealthRequest{AccountId: a.GetAccountId()})
		require.NoError(t, err)

		for _, d := range one.GetHealth().GetDimensions() {
			for _, m := range d.GetMeasures() {
				if m.Value != nil {
					require.InDelta(t, m.GetValue(), a.GetMeasures()[m.GetName()], 0, m.GetName())
				}
			}
		}
	}
}
