package query_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

// careWorld is a world with a scorer and an account acme.
func careWorld(t *testing.T, s store.Store, options ...option) (*world, *scorer, healthv1.HealthServiceClient) {
	t.Helper()

	w := start(t, s, options...)
	scorer := w.startScorer()
	scorer.event(home, recorded(used("acme")))

	return w, scorer, w.health()
}

func recorded(e *eventv1.Event) *logv1.Record {
	return &logv1.Record{Payload: &logv1.Record_Event{Event: e}}
}

// ahead is a day as requests write it, so many days after today.
func ahead(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }

func overriding(score float64) *healthv1.SetOverrideRequest {
	return &healthv1.SetOverrideRequest{AccountId: "acme", Score: score, Reason: "they told me", ExpireDate: ahead(2)}
}

func TestOverrides(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w, scorer, client := careWorld(t, open(t))
			ctx := w.as(access.RoleAdmin)

			before, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
			require.NoError(t, err)

			req := overriding(71.5)
			req.Author = "ann"
			set, err := client.SetOverride(ctx, req)
			require.NoError(t, err)

			h := set.GetHealth()
			requireOverridden(t, before.GetHealth(), h, 71.5)
			require.Equal(t, healthv1.Band_BAND_STEADY, h.GetBand())
			require.Equal(t, "ann", h.GetOverride().GetAuthor())
			require.Equal(t, "they told me", h.GetOverride().GetReason())
			require.Equal(t, ahead(2), h.GetOverride().GetExpireDate())
			require.WithinDuration(t, time.Now(), h.GetOverride().GetSetAt().AsTime(), patience)

			for range 2 { // explained, then known
				got, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
				require.NoError(t, err)
				requireOverridden(t, before.GetHealth(), got.GetHealth(), 71.5)
			}

			require.Eventually(t, func() bool {
				list, err := client.ListAccounts(ctx, &healthv1.ListAccountsRequest{})

				return err == nil && len(list.GetAccounts()) == 1 && list.GetAccounts()[0].GetScore() == 71.5
			}, patience, time.Millisecond)

			cleared, err := client.ClearOverride(ctx, &healthv1.ClearOverrideRequest{AccountId: "acme"})
			require.NoError(t, err)
			require.Nil(t, cleared.GetHealth().GetOverride())
			require.InDelta(t, before.GetHealth().GetScore(), cleared.GetHealth().GetScore(), 0)

			_, err = client.ClearOverride(ctx, &healthv1.ClearOverrideRequest{AccountId: "acme"})
			require.NoError(t, err, "there is none, as was asked for")

			// The last day is over at midnight, and not before.
			_, err = client.SetOverride(ctx, overriding(12.25))
			require.NoError(t, err)

			midnight := health.DayOf(time.Now().UnixMicro()) + 3
			scorer.pass(time.Until(time.UnixMicro(midnight.Start()).Add(-time.Minute)))

			late, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
			require.NoError(t, err)
			require.InDelta(t, 12.25, late.GetHealth().GetScore(), 0)

			scorer.pass(2 * time.Minute)

			after, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
			require.NoError(t, err)
			require.Nil(t, after.GetHealth().GetOverride())
			require.InDelta(t, after.GetHealth().GetComputedScore(), after.GetHealth().GetScore(), 0)
		})
	}
}

// requireOverridden checks that a score stands before the computed one, which is as it was.
func requireOverridden(t *testing.T, before, now *healthv1.AccountHealth, score float64) {
	t.Helper()
	require.InDelta(t, score, now.GetScore(), 0)
	require.InDelta(t, score, now.GetOverride().GetScore(), 0)
	require.InDelta(t, before.GetScore(), now.GetComputedScore(), 0)
	require.InDelta(t, before.GetComputedScore(), now.GetComputedScore(), 0)
	require.Equal(t, before.GetBand(), now.GetComputedBand())

	sum := 0.0
	for _, d := range now.GetDimensions() {
		sum += d.GetContribution()
	}

	require.InDelta(t, now.GetComputedScore(), sum, 1e-9, "contributions add up to the computed score")
}

func TestOverrideIsRoundedToMillionths(t *testing.T) {
	t.Parallel()

	w, _, client := careWorld(t, openMemory(t))

	for asked, want := range map[float64]float64{0: 0, 100: 100, 33.3333335: 33.333334, 0.0000004: 0, 71.1: 71.1} {
		got, err := client.SetOverride(w.as(access.RoleAdmin), overriding(asked))
		require.NoError(t, err)
		require.InDelta(t, want, got.GetHealth().GetScore(), 0)
	}
}

func TestOverridesOfTwoPeople(t *testing.T) {
	t.Parallel()

	w, _, client := careWorld(t, openMemory(t))
	ctx := w.as(access.RoleAdmin)

	// Both are told that theirs was taken; one of the two holds.
	var both sync.WaitGroup

	for i := range 2 {
		both.Go(func() {
			req := overriding(float64(10 + i))
			req.Author = fmt.Sprint("person-", i)

			if _, err := client.SetOverride(ctx, req); err != nil {
				t.Errorf("%s: %v", req.GetAuthor(), err)
			}
		})
	}

	both.Wait()

	got, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint("person-", got.GetHealth().GetScore()-10), got.GetHealth().GetOverride().GetAuthor())

	// A retry counts once: it does not undo what came after it.
	first := overriding(20)
	first.CommandId = "the-first"
	_, err = client.SetOverride(ctx, first)
	require.NoError(t, err)
	_, err = client.SetOverride(ctx, overriding(30))
	require.NoError(t, err)
	again, err := client.SetOverride(ctx, first)
	require.NoError(t, err)
	require.InDelta(t, 30, again.GetHealth().GetScore(), 0)
	require.NotEmpty(t, again.GetHealth().GetOverride().GetAuthor(), "the credential stands for who did not say")
}

func TestCareRefusals(t *testing.T) {
	t.Parallel()

	w, scorer, client := careWorld(t, openMemory(t))
	scorer.event(home, recorded(used("gone")), recorded(profiled("gone", &eventv1.Account{ChurnDate: new(ahead(0))})))

	ctx := w.as(access.RoleAdmin)
	refusal := func(ctx context.Context, change func(*healthv1.SetOverrideRequest)) error {
		req := overriding(50)
		change(req)

		_, err := client.SetOverride(ctx, req)

		return err
	}

	for field, change := range map[string]func(*healthv1.SetOverrideRequest){
		"account_id":  func(r *healthv1.SetOverrideRequest) { r.AccountId = "" },
		"score":       func(r *healthv1.SetOverrideRequest) { r.Score = 100.5 },
		"reason":      func(r *healthv1.SetOverrideRequest) { r.Reason = "" },
		"author":      func(r *healthv1.SetOverrideRequest) { r.Author = strings.Repeat("x", 257) },
		"expire_date": func(r *healthv1.SetOverrideRequest) { r.ExpireDate = "tomorrow" },
	} {
		require.Equal(t, []string{field}, requireError(t, refusal(ctx, change), codes.InvalidArgument, "REQUEST_INVALID"))
	}

	for date, code := range map[string]string{
		"2026-02-30": "date.calendar", ahead(-2): "date.past", ahead(368): "date.far",
	} {
		err := refusal(ctx, func(r *healthv1.SetOverrideRequest) { r.ExpireDate = date })
		requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
		require.Equal(t, []string{"expire_date " + code}, violated(err))
	}

	nobody := func(r *healthv1.SetOverrideRequest) { r.AccountId = "nobody" }
	requireError(t, refusal(ctx, nobody), codes.NotFound, "ACCOUNT_NOT_FOUND")

	gone := func(r *healthv1.SetOverrideRequest) { r.AccountId = "gone" }
	requireError(t, refusal(ctx, gone), codes.FailedPrecondition, "ACCOUNT_CHURNED")

	same := func(*healthv1.SetOverrideRequest) {}
	requireError(t, refusal(w.as(access.RoleViewer), same), codes.PermissionDenied, "KEY_WRONG_KIND")
	requireError(t, refusal(w.as(access.RoleIngest), same), codes.PermissionDenied, "KEY_WRONG_KIND")

	withOther(w) // its key is known once this returns

	foreign := withKey(t.Context(), w.newKey("other", access.RoleAdmin))
	require.Eventually(t, func() bool {
		return status.Code(refusal(foreign, same)) == codes.NotFound
	}, patience, 10*time.Millisecond, "the account is of another workspace")

	got, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.Nil(t, got.GetHealth().GetOverride(), "nothing of all this was kept")
}

// violated names fields and codes of what is wrong.
func violated(err error) []string {
	var all []string

	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				all = append(all, v.GetField()+" "+v.GetReason())
			}
		}
	}

	return all
}

func TestADecisionThatIsNotInForceYet(t *testing.T) {
	t.Parallel()

	w, scorer, client := careWorld(t, openMemory(t))
	ctx := w.as(access.RoleAdmin)
	set := overriding(42)

	hurried, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()

	scorer.paused.Lock()
	_, err := client.SetOverride(hurried, set)
	scorer.paused.Unlock()
	requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")

	info, ok := status.Convert(err).Details()[0].(*errdetails.ErrorInfo)
	require.True(t, ok)

	// The token waits for it, and the id makes a retry the same command.
	require.Eventually(t, func() bool {
		got, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{
			AccountId: "acme", AtLeast: info.GetMetadata()["token"],
		})

		return err == nil && got.GetHealth().GetScore() == 42
	}, patience, 10*time.Millisecond)

	_, err = client.ClearOverride(ctx, &healthv1.ClearOverrideRequest{AccountId: "acme"})
	require.NoError(t, err)

	set.CommandId = info.GetMetadata()["command_id"]
	again, err := client.SetOverride(ctx, set)
	require.NoError(t, err)
	require.Nil(t, again.GetHealth().GetOverride(), "it counted once, and was cleared since")
}

func TestPulse(t *testing.T) {
	t.Parallel()

	w, scorer, client := careWorld(t, openMemory(t))
	ctx := w.as(access.RoleAdmin)
	pulse := &healthv1.SetPulseRequest{AccountId: "acme", Pulse: 4, Note: "good call", Author: "ann", CommandId: "p-1"}

	got, err := client.SetPulse(ctx, pulse)
	require.NoError(t, err)
	require.InDelta(t, 4, pulseOf(got.GetHealth()), 0)

	_, err = client.SetPulse(ctx, &healthv1.SetPulseRequest{AccountId: "acme", Pulse: 2})
	require.NoError(t, err)

	again, err := client.SetPulse(ctx, pulse)
	require.NoError(t, err)
	require.InDelta(t, 2, pulseOf(again.GetHealth()), 0, "a retry counts once")

	scorer.pass(91 * 24 * time.Hour)

	old, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme"})
	require.NoError(t, err)
	require.InDelta(t, -1, pulseOf(old.GetHealth()), 0, "it has gone out of date")

	for _, bad := range []*healthv1.SetPulseRequest{{AccountId: "acme"}, {AccountId: "acme", Pulse: 6}} {
		_, err := client.SetPulse(ctx, bad)
		require.Equal(t, []string{"pulse"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	}

	_, err = client.SetPulse(ctx, &healthv1.SetPulseRequest{AccountId: "nobody", Pulse: 3})
	requireError(t, err, codes.NotFound, "ACCOUNT_NOT_FOUND")
	_, err = client.SetPulse(w.as(access.RoleViewer), pulse)
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
}

// pulseOf is the value of the measure; -1: it has none.
func pulseOf(h *healthv1.AccountHealth) float64 {
	for _, d := range h.GetDimensions() {
		for _, m := range d.GetMeasures() {
			if m.GetName() == "pulse" && m.Value != nil {
				return m.GetValue()
			}
		}
	}

	return -1
}
