package query_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/query"
)

// clientTakes is how large a message is that gRPC clients take.
const clientTakes = 4 << 20

// wordy makes an alert as large as rules and accounts can make it: 32 labels, and texts of 1 KiB.
func wordy(a *alertv1.Alert) {
	text := strings.Repeat("x", 1000)
	a.Labels = map[string]string{}

	for n := range 32 {
		a.Labels[fmt.Sprintf("l%d", n)] = text
	}

	a.Summary = text + a.GetSummary()
	a.Subject = &alertv1.Subject{Name: text, Owner: text, Segment: text, Plan: text}
}

// comment makes so many comments about an alert.
func (d *decider) comment(id string, count int, note string) {
	d.w.tb.Helper()
	d.mu.Lock()

	a := d.alerts[id]
	partition := d.w.log.Layout().Partition(home, a.GetAccountId())

	for range count {
		d.record(home, partition, a, &alertv1.Transition{
			Kind: alertv1.Transition_KIND_COMMENTED, At: timestamppb.Now(), Author: "ann", Note: note,
		})
	}

	d.mu.Unlock()
	require.NoError(d.w.tb, d.flush(d.w.tb.Context(), partition))
}

func TestAPageOfWordyAlertsEndsEarly(t *testing.T) {
	t.Parallel()

	const count = 160

	w, d, client := alertWorld(t)
	want := map[string]bool{}

	for n := range count {
		id, _ := d.begin(home, "acme", fmt.Sprintf("r%d", n), wordy)
		want[id] = true
	}

	require.NoError(t, d.flush(t.Context(), w.log.Layout().Partition(home, "acme")))
	require.Eventually(t, func() bool {
		page, err := client.ListAlerts(w.as(access.RoleViewer), &alertv1.ListAlertsRequest{PageSize: 1})

		return err == nil && page.GetTotalSize() == count
	}, patience, time.Millisecond)

	snapshot, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{Snapshot: true})
	for told := 0; told < count; {
		part := nextPart(t, snapshot)
		require.Less(t, proto.Size(part), clientTakes/2)

		told += len(part.GetSnapshot())
	}

	req := &alertv1.ListAlertsRequest{PageSize: 1000, OrderBy: "name, owner, segment, plan, summary desc"}

	for pages := 1; ; pages++ {
		page, err := client.ListAlerts(w.as(access.RoleViewer), req)
		require.NoError(t, err)
		require.Less(t, proto.Size(page), clientTakes/2)
		require.EqualValues(t, count, page.GetTotalSize())

		for _, a := range page.GetAlerts() {
			require.True(t, want[a.GetAlertId()], "once: %s", a.GetAlertId())
			delete(want, a.GetAlertId())
		}

		req.PageToken = page.GetNextPageToken()
		if req.GetPageToken() == "" {
			require.Greater(t, pages, 4)

			break
		}
	}

	require.Empty(t, want)
}

// delivered are the deliveries of one alert, the newest first.
type delivered []*alertv1.Delivery

func (d delivered) Of(context.Context, string, string) ([]*alertv1.Delivery, error) { return d, nil }

func TestALongTrailComesInPages(t *testing.T) {
	t.Parallel()

	const count = 1100

	var all delivered

	w, d, client := alertWorld(t, func(_ *query.Config, deps *query.Deps) {
		for n := count; n > 0; n-- {
			all = append(all, &alertv1.Delivery{
				Receiver: "page", TransitionId: fmt.Sprintf("%s-acme-at_risk-%d", home, n), Reason: strings.Repeat("x", 1000),
			})
		}

		deps.Deliveries = all
	})
	ctx := w.as(access.RoleViewer)
	id := d.fire(home, "acme", "at_risk")
	d.comment(id, count-1, strings.Repeat("x", 4096))

	walk := func(t *testing.T, size int32, each func(*alertv1.GetAlertResponse)) {
		t.Helper()

		var (
			req   = &alertv1.GetAlertRequest{AlertId: id, TrailPageSize: size}
			trail []*alertv1.Transition
			told  int
		)

		for {
			got, err := client.GetAlert(ctx, req)
			require.NoError(t, err)
			require.EqualValues(t, count, got.GetAlert().GetRevision())
			require.Less(t, proto.Size(got), clientTakes/2)
			each(got)

			for i, one := range got.GetDeliveries() {
				mine := got.GetTrail()[len(got.GetTrail())-1-i]
				require.Equal(t, mine.GetTransitionId(), one.GetTransitionId(), "newest first, of this page")
			}

			told += len(got.GetDeliveries())
			trail = append(trail, got.GetTrail()...)

			req.TrailPageToken = got.GetNextTrailPageToken()
			if req.GetTrailPageToken() == "" {
				break
			}
		}

		require.Len(t, trail, count)
		require.Equal(t, count, told)

		for n, one := range trail {
			require.Equal(t, fmt.Sprintf("%s-%d", id, n+1), one.GetTransitionId())
		}
	}

	require.Eventually(t, func() bool {
		got, err := client.GetAlert(ctx, &alertv1.GetAlertRequest{AlertId: id, TrailPageSize: 1})

		return err == nil && got.GetAlert().GetRevision() == count
	}, patience, time.Millisecond)

	t.Run("as large as an answer may be", func(t *testing.T) {
		t.Parallel()

		pages := 0

		walk(t, 0, func(got *alertv1.GetAlertResponse) {
			pages++

			if got.GetNextTrailPageToken() != "" {
				require.Greater(t, proto.Size(got), 1<<20, "no smaller than need be")
			}
		})
		require.Greater(t, pages, 4)
	})

	t.Run("of the size that is asked for", func(t *testing.T) {
		t.Parallel()
		walk(t, 110, func(got *alertv1.GetAlertResponse) { require.Len(t, got.GetTrail(), 110) })
	})

	t.Run("a token of another alert is refused", func(t *testing.T) {
		t.Parallel()

		other := d.fire(home, "acme", "ticket_spike")
		got, err := client.GetAlert(ctx, &alertv1.GetAlertRequest{AlertId: id})
		require.NoError(t, err)

		for _, token := range []string{got.GetNextTrailPageToken(), "!", "AA", "BgE"} {
			_, err = client.GetAlert(ctx, &alertv1.GetAlertRequest{AlertId: other, TrailPageToken: token})
			requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")
		}
	})
}
