package query_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// at is noon of a day.
func at(t *testing.T, date string) int64 {
	t.Helper()

	d, err := time.Parse(time.DateOnly, date)
	require.NoError(t, err)

	return d.Add(12 * time.Hour).UnixMicro()
}

// paid is a profile event that sets the arr, in currency units, and the renewal date.
func paid(account string, arr int64, renewal string) *eventv1.Event {
	return profiled(account, &eventv1.Account{
		ArrMicros: new(arr * 1_000_000), Currency: new("USD"), RenewalDate: new(renewal), Segment: new("smb"),
		Owner: new("maya"), CreatedDate: new("2025-12-01"),
	})
}

// business plays three accounts through a quarter: one grows, one renews with less, one leaves.
func business(t *testing.T, w *world) {
	t.Helper()

	for _, step := range []struct {
		day, account string
		event        *eventv1.Event
	}{
		{"2026-01-10", "grows", paid("grows", 100, "2026-09-01")},
		{"2026-01-10", "renews", paid("renews", 200, "2026-03-05")},
		{"2026-01-10", "leaves", paid("leaves", 300, "2026-03-08")},
		{"2026-03-02", "grows", paid("grows", 150, "2026-09-01")},
		{"2026-03-04", "renews", paid("renews", 180, "2027-03-05")},
		{"2026-03-08", "leaves", profiled("leaves", &eventv1.Account{ChurnDate: new("2026-03-08")})},
		{"2026-03-10", "grows", used("grows")},
		{"2026-03-10", "renews", used("renews")},
		{"2026-03-10", "leaves", used("leaves")},
	} {
		step.event.MessageId = step.day + step.account
		w.score(home, step.account, at(t, step.day), 0, step.event)
	}
}

// requirePortfolio waits until the answer is as wanted.
func requirePortfolio(
	t *testing.T, w *world, req *healthv1.GetPortfolioRequest, accounts int32,
) *healthv1.GetPortfolioResponse {
	t.Helper()

	var got *healthv1.GetPortfolioResponse

	require.Eventually(t, func() bool {
		var err error

		got, err = w.health().GetPortfolio(w.as(access.RoleViewer), req)

		return err == nil && got.GetTotal().GetAccounts() == accounts
	}, patience, 10*time.Millisecond)

	return got
}

func TestGetPortfolio(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := prepare(t, open(t))
			business(t, w)
			w.score("other", "hidden", noon(), 0, paid("hidden", 999, "2026-04-01"))
			w.run()
			require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

			got := requirePortfolio(t, w, &healthv1.GetPortfolioRequest{FromMonth: "2026-02", RenewalDays: 180}, 2)
			require.Equal(t, noon(), got.GetAsOf().AsTime().UnixMicro())
			require.Equal(t, "USD", got.GetCurrency())
			require.InDelta(t, 330, got.GetTotal().GetArr(), 0)
			require.Equal(t, "smb", got.GetSegments()[0].GetName())
			require.Equal(t, "maya", got.GetOwners()[0].GetName())

			require.Len(t, got.GetMonths(), 2)
			march := got.GetMonths()[1]
			require.Equal(t, "2026-03", march.GetMonth())
			require.InDelta(t, 600, march.GetOpeningArr(), 0)
			require.InDelta(t, 50, march.GetExpansionArr(), 0)
			require.InDelta(t, 20, march.GetContractionArr(), 0)
			require.InDelta(t, 300, march.GetChurnedArr(), 0)
			require.InDelta(t, 46.666667, march.GetGrossRetention(), 0) // 280 / 600
			require.InDelta(t, 55, march.GetNetRetention(), 0)          // 330 / 600
			require.InDelta(t, 500, march.GetRenewableArr(), 0)
			require.InDelta(t, 36, march.GetNetRenewalRate(), 0) // 180 / 500
			require.InDelta(t, 33.333333, march.GetLogoChurn(), 0)

			require.Len(t, got.GetRenewals(), 1)
			require.Equal(t, "grows", got.GetRenewals()[0].GetAccountId())
			require.Equal(t, "2026-09-01", got.GetRenewals()[0].GetRenewalDate())

			require.Empty(t, got.GetOverdueRenewals())
			w.score(home, "lapsed", noon(), 0, paid("lapsed", 70, "2026-03-09"))

			lapsed := requirePortfolio(t, w, &healthv1.GetPortfolioRequest{}, 3).GetOverdueRenewals()
			require.Len(t, lapsed, 1, "who churned is not listed")
			require.Equal(t, "lapsed", lapsed[0].GetAccountId())
			require.True(t, lapsed[0].GetOverdue())
			require.InDelta(t, 70, lapsed[0].GetArr(), 0)

			var moved int32
			for _, m := range got.GetMovements() {
				moved += m.GetAccounts()
			}

			require.EqualValues(t, 3, moved, "who churned is seen to go")

			filtered := requirePortfolio(t, w, &healthv1.GetPortfolioRequest{Filter: "arr < 160 AND arr > 100"}, 1)
			require.InDelta(t, 150, filtered.GetTotal().GetArr(), 0)
		})
	}
}

func TestPortfolioWaitsForAWrite(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	token, _, sequence := w.write(w.writer(), "acme")

	early := make(chan error, 1)

	go func() {
		got, err := w.health().GetPortfolio(w.as(access.RoleViewer), &healthv1.GetPortfolioRequest{AtLeast: token})
		if err == nil && got.GetTotal().GetAccounts() != 1 {
			err = fmt.Errorf("answered before the write was there: %v", got.GetTotal()) //nolint:err113 // of this test
		}
		early <- err
	}()

	w.score(home, "acme", noon(), sequence, used("acme"))
	require.NoError(t, <-early)
}

func TestPortfolioOfNobody(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))

	got, err := w.health().GetPortfolio(w.as(access.RoleViewer), &healthv1.GetPortfolioRequest{FromMonth: "2026-01"})
	require.NoError(t, err)
	require.Zero(t, got.GetTotal().GetAccounts())
	require.Nil(t, got.GetAsOf())
}

func TestPortfolioRefusesWhatIsNoQuestion(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))
	requirePortfolio(t, w, &healthv1.GetPortfolioRequest{FromMonth: "2023-04", ToMonth: "2026-03"}, 1) // the most there is

	for field, req := range map[string]*healthv1.GetPortfolioRequest{
		"filter":        {Filter: "band ="},
		"from_month":    {FromMonth: "2026-13"},
		"to_month":      {ToMonth: "2026-04"}, // has not begun
		"movement_days": {MovementDays: 31},
		"currency":      {Currency: "usd"},
	} {
		_, err := w.health().GetPortfolio(w.as(access.RoleViewer), req)
		require.Equal(t, []string{field}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	}

	for _, req := range []*healthv1.GetPortfolioRequest{
		{FromMonth: "2026-03", ToMonth: "2026-02"}, // backwards
		{FromMonth: "2023-03"},                     // not kept
	} {
		_, err := w.health().GetPortfolio(w.as(access.RoleViewer), req)
		require.Equal(t, []string{"from_month"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	}

	_, err := w.health().GetPortfolio(w.as(access.RoleViewer), &healthv1.GetPortfolioRequest{ToMonth: "2020-01"})
	require.Equal(t, []string{"to_month"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
}

func TestChildrenRollUp(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	now := noon()
	under := func(account, parent string, arr int64) {
		now++ // later facts win

		e := paid(account, arr, "2026-12-01")
		e.GetAccount().Parent = new(parent)
		w.score(home, account, now, 0, used(account), e)
	}
	get := func(account string) *healthv1.AccountHealth {
		got, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: account})
		require.NoError(t, err)

		return got.GetHealth()
	}

	under("mother", "son", 10) // a circle
	under("son", "mother", 100)
	under("daughter", "mother", 300)
	under("self", "self", 5)
	w.score("other", "stranger", noon(), 0, profiled("stranger", &eventv1.Account{Parent: new("mother")}))

	require.Eventually(t, func() bool { return get("mother").GetChildren().GetAccounts() == 2 }, patience, 10*time.Millisecond)

	c := get("mother").GetChildren()
	require.EqualValues(t, 2, c.GetScored())
	require.Equal(t, map[string]float64{"USD": 400}, c.GetArr())
	require.InDelta(t, get("son").GetScore(), c.GetScore(), 1e-9, "both have the same score")
	require.Equal(t, "daughter", c.GetWorstAccountId(), "of equals the first")
	require.EqualValues(t, 1, get("son").GetChildren().GetAccounts())
	require.Nil(t, get("self").GetChildren(), "nobody is its own child")
	require.Nil(t, get("daughter").GetChildren())

	under("daughter", "", 300)
	require.Eventually(t, func() bool { return get("mother").GetChildren().GetAccounts() == 1 }, patience, 10*time.Millisecond)
}
