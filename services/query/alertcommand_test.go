package query_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/query"
)

// toldOf returns what an error tells programs.
func toldOf(t *testing.T, err error) map[string]string {
	t.Helper()

	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()
		}
	}

	return nil
}

func TestCommandsAboutAlerts(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	ctx := w.as(access.RoleOperator)
	id := d.fire(home, "acme", "at_risk")

	acked, err := client.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{AlertId: id, Author: "ann", Note: "mine"})
	require.NoError(t, err)
	require.Equal(t, alertv1.State_STATE_ACKNOWLEDGED, acked.GetAlert().GetState())
	require.Equal(t, "ann", acked.GetAlert().GetAcknowledgedBy())
	require.Equal(t, uint32(2), acked.GetAlert().GetRevision())

	snoozed, err := client.SnoozeAlert(ctx, &alertv1.SnoozeAlertRequest{
		AlertId: id, Revision: 2, Duration: durationpb.New(time.Hour), UntilWorse: true,
	})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Hour), snoozed.GetAlert().GetSnoozeUntil().AsTime(), patience)
	require.True(t, snoozed.GetAlert().GetSnoozeUntilWorse())

	assigned, err := client.AssignAlert(ctx, &alertv1.AssignAlertRequest{AlertId: id, Assignee: "bob"})
	require.NoError(t, err)
	require.Equal(t, "bob", assigned.GetAlert().GetAssignee())

	_, err = client.CommentAlert(ctx, &alertv1.CommentAlertRequest{AlertId: id, Comment: "called them"})
	require.NoError(t, err)

	resolved, err := client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: id, Author: "bob"})
	require.NoError(t, err)
	require.Equal(t, alertv1.State_STATE_RESOLVED, resolved.GetAlert().GetState())

	got, err := client.GetAlert(ctx, &alertv1.GetAlertRequest{AlertId: id})
	require.NoError(t, err)
	require.True(t, proto.Equal(resolved.GetAlert(), got.GetAlert()))
	require.Empty(t, got.GetDeliveries())

	var kinds []alertv1.Transition_Kind

	for _, one := range got.GetTrail() {
		require.Nil(t, one.GetAlert())

		kinds = append(kinds, one.GetKind())
	}

	require.Equal(t, []alertv1.Transition_Kind{
		alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_ACKNOWLEDGED, alertv1.Transition_KIND_SNOOZED,
		alertv1.Transition_KIND_ASSIGNED, alertv1.Transition_KIND_COMMENTED, alertv1.Transition_KIND_RESOLVED,
	}, kinds)
	require.Equal(t, "mine", got.GetTrail()[1].GetNote())
	require.Equal(t, "called them", got.GetTrail()[4].GetNote())
	require.Equal(t, access.KeyID(access.Hash(w.keys[access.RoleOperator])), got.GetTrail()[4].GetAuthor(), "whoever the key names")

	_, err = client.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{AlertId: id})
	requireError(t, err, codes.FailedPrecondition, "ALERT_NOT_OPEN")
	require.Equal(t, "bob", toldOf(t, err)["changed_by"])

	_, err = client.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{AlertId: "no-such"})
	requireError(t, err, codes.NotFound, "ALERT_NOT_FOUND")
}

func TestTwoPeopleAcknowledgeAtOnce(t *testing.T) {
	t.Parallel()

	for name, revision := range map[string]uint32{"whatever the revision": 0, "the revision they see": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w, d, client := alertWorld(t)
			id := d.fire(home, "acme", "at_risk")
			authors := []string{"ann", "bob"}
			errs := make([]error, len(authors))

			var wg sync.WaitGroup

			for i, author := range authors {
				wg.Go(func() {
					_, errs[i] = client.AcknowledgeAlert(w.as(access.RoleOperator), &alertv1.AcknowledgeAlertRequest{
						AlertId: id, Revision: revision, Author: author,
					})
				})
			}

			wg.Wait()

			winner := 0
			if errs[0] != nil {
				winner = 1
			}

			require.NoError(t, errs[winner])

			lost := errs[1-winner]
			if revision == 0 {
				requireError(t, lost, codes.FailedPrecondition, "ALERT_ALREADY_ACKNOWLEDGED")
				require.Equal(t, authors[winner], toldOf(t, lost)["acknowledged_by"])
			} else {
				requireError(t, lost, codes.Aborted, "ALERT_CHANGED")
			}

			require.Contains(t, status.Convert(lost).Message(), authors[winner])
			require.Equal(t, authors[winner], toldOf(t, lost)["changed_by"])
			require.Equal(t, "2", toldOf(t, lost)["revision"])
			require.Equal(t, "acknowledged", toldOf(t, lost)["change"])

			got, err := client.GetAlert(w.as(access.RoleViewer), &alertv1.GetAlertRequest{AlertId: id})
			require.NoError(t, err)
			require.Len(t, got.GetTrail(), 2)
		})
	}
}

func TestARetryOfACommandAnswersTheSame(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	ctx := w.as(access.RoleOperator)
	id := d.fire(home, "acme", "at_risk")
	req := &alertv1.AcknowledgeAlertRequest{AlertId: id, Revision: 1, Author: "ann", CommandId: "c1"}

	var (
		wg      sync.WaitGroup
		answers = make([]*alertv1.AcknowledgeAlertResponse, 4)
	)

	for i := range answers {
		wg.Go(func() {
			var err error
			if answers[i], err = client.AcknowledgeAlert(ctx, req); err != nil {
				t.Error(err)
			}
		})
	}

	wg.Wait()

	_, err := client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: id})
	require.NoError(t, err)

	late, err := client.AcknowledgeAlert(ctx, req)
	require.NoError(t, err, "though the alert is over by now")

	for _, a := range answers {
		require.True(t, proto.Equal(late, a))
	}

	require.Equal(t, uint32(2), late.GetAlert().GetRevision())
}

func TestACommandIDIsOfOneDecision(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	ctx := w.as(access.RoleOperator)
	id := d.fire(home, "acme", "at_risk")
	req := &alertv1.AssignAlertRequest{AlertId: id, Assignee: "cid", Author: "ann", Note: "yours", CommandId: "c1"}

	_, err := client.AssignAlert(ctx, req)
	require.NoError(t, err)

	for name, change := range map[string]func(*alertv1.AssignAlertRequest){
		"assignee": func(r *alertv1.AssignAlertRequest) { r.Assignee = "dan" },
		"author":   func(r *alertv1.AssignAlertRequest) { r.Author = "bob" },
		"note":     func(r *alertv1.AssignAlertRequest) { r.Note = "mine" },
	} {
		other := proto.CloneOf(req)
		change(other)

		_, err := client.AssignAlert(ctx, other)
		requireError(t, err, codes.AlreadyExists, "COMMAND_ID_REUSED")
		require.Equal(t, "ann", toldOf(t, err)["changed_by"], name)
	}

	_, err = client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: id, Author: "ann", Note: "yours", CommandId: "c1"})
	requireError(t, err, codes.AlreadyExists, "COMMAND_ID_REUSED")

	second := d.fire(home, "acme", "detractor")
	got, err := client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: second, CommandId: "c1"})
	require.NoError(t, err, "an id counts for its alert")
	require.Equal(t, alertv1.State_STATE_RESOLVED, got.GetAlert().GetState())
}

// lagging is an Alerts whose replica has nothing of the trails yet.
type lagging struct{ query.Alerts }

func (lagging) Trail(context.Context, int, string, func(*logv1.AlertRecord) error) error { return nil }

func TestARetryIsFoundThoughAReplicaIsBehind(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t, func(_ *query.Config, deps *query.Deps) { deps.Alerts = lagging{deps.Alerts} })
	req := &alertv1.ResolveAlertRequest{AlertId: d.fire(home, "acme", "at_risk"), CommandId: "c1"}

	for range 2 {
		got, err := client.ResolveAlert(w.as(access.RoleOperator), req)
		require.NoError(t, err)
		require.Equal(t, uint32(2), got.GetAlert().GetRevision())
	}
}

// TestARefusedCommandIsExaminedAnew says what becomes of an id whose command was refused: the fold does not remember it.
func TestARefusedCommandIsExaminedAnew(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	ctx := w.as(access.RoleOperator)
	id := d.fire(home, "acme", "at_risk")
	req := &alertv1.AcknowledgeAlertRequest{AlertId: id, Revision: 2, Author: "ann", CommandId: "c1"}

	for range 2 {
		_, err := client.AcknowledgeAlert(ctx, req)
		requireError(t, err, codes.Aborted, "ALERT_CHANGED")
	}

	_, err := client.CommentAlert(ctx, &alertv1.CommentAlertRequest{AlertId: id, Comment: "hm", CommandId: "c2"})
	require.NoError(t, err)

	for range 2 {
		got, err := client.AcknowledgeAlert(ctx, req)
		require.NoError(t, err, "the same command, now of the alert's revision")
		require.Equal(t, uint32(3), got.GetAlert().GetRevision(), "once")
	}
}

func TestACommandWaitsForTheFold(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t, func(c *query.Config, _ *query.Deps) { c.MaxWait = 100 * time.Millisecond })
	id := d.fire(home, "acme", "at_risk")

	_, err := client.GetAlert(w.as(access.RoleViewer), &alertv1.GetAlertRequest{AlertId: id})
	require.NoError(t, err)

	d.mu.Lock() // nothing is decided now

	req := &alertv1.ResolveAlertRequest{AlertId: id}
	_, err = client.ResolveAlert(w.as(access.RoleOperator), req)
	requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")
	d.mu.Unlock()

	req.CommandId = toldOf(t, err)["command_id"]
	require.NotEmpty(t, req.GetCommandId())
	require.Eventually(t, func() bool {
		got, err := client.ResolveAlert(w.as(access.RoleOperator), req)

		return err == nil && got.GetAlert().GetRevision() == 2
	}, patience, time.Millisecond)
}

func TestAlertsAboutASourceAreDecidedInTheFirstPartition(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t)
	id := d.fire(home, "", "pipeline_silent", func(a *alertv1.Alert) { a.Source = "usage" })

	got, err := client.AcknowledgeAlert(w.as(access.RoleOperator), &alertv1.AcknowledgeAlertRequest{AlertId: id})
	require.NoError(t, err)
	require.Equal(t, "usage", got.GetAlert().GetSource())
}
