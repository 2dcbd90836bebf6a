package query_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/access"
)

// TestAlertsThatTheFoldDecides goes the whole way: an event, the shipped rules in the fold, the stream, the board, and
// back with decisions.
func TestAlertsThatTheFoldDecides(t *testing.T) {
	t.Parallel()

	w, scorer, _ := careWorld(t, openMemory(t))
	client, ctx := w.alert(), w.as(access.RoleOperator)
	scorer.event(home, recorded(surveyed("s1", eventv1.Survey_TYPE_NPS, 2)))

	var found *alertv1.Alert

	require.Eventually(t, func() bool {
		list, err := client.ListAlerts(ctx, &alertv1.ListAlertsRequest{Filter: "rule = detractor"})
		if err != nil || len(list.GetAlerts()) != 1 {
			return false
		}

		found = list.GetAlerts()[0]

		return true
	}, patience, time.Millisecond)
	require.Equal(t, alertv1.State_STATE_FIRING, found.GetState())

	var (
		wg      sync.WaitGroup
		errs    = make([]error, 2)
		authors = []string{"ann", "bob"}
	)

	for i, author := range authors {
		wg.Go(func() {
			_, errs[i] = client.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{AlertId: found.GetAlertId(), Author: author})
		})
	}

	wg.Wait()

	winner := 0
	if errs[0] != nil {
		winner = 1
	}

	require.NoError(t, errs[winner])
	requireError(t, errs[1-winner], codes.FailedPrecondition, "ALERT_ALREADY_ACKNOWLEDGED")
	require.Equal(t, authors[winner], toldOf(t, errs[1-winner])["acknowledged_by"])

	_, err := client.AssignAlert(ctx, &alertv1.AssignAlertRequest{
		AlertId: found.GetAlertId(), Revision: found.GetRevision(), Assignee: "cid",
	})
	requireError(t, err, codes.Aborted, "ALERT_CHANGED")

	req := &alertv1.SnoozeAlertRequest{AlertId: found.GetAlertId(), Duration: durationpb.New(time.Hour), CommandId: "c1"}
	snoozed, err := client.SnoozeAlert(ctx, req)
	require.NoError(t, err)

	again, err := client.SnoozeAlert(ctx, req)
	require.NoError(t, err)
	require.Equal(t, snoozed.GetAlert().GetRevision(), again.GetAlert().GetRevision())

	_, err = client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: found.GetAlertId(), CommandId: "c1"})
	requireError(t, err, codes.AlreadyExists, "COMMAND_ID_REUSED")
	require.Equal(t, "snoozed", toldOf(t, err)["change"])

	_, err = client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: found.GetAlertId(), Author: "ann"})
	require.NoError(t, err)

	_, err = client.CommentAlert(ctx, &alertv1.CommentAlertRequest{AlertId: found.GetAlertId(), Comment: "late"})
	requireError(t, err, codes.FailedPrecondition, "ALERT_NOT_OPEN")
}
