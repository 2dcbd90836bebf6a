package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/query"
)

const receivers = `
kind: receivers
receivers:
  - {name: page, kind: pagerduty, settings: {routing_key: "file:key"}}
default_route: {receivers: [page]}
`

func TestReceivers(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	none, err := admin.GetReceivers(ctx, &adminv1.GetReceiversRequest{})
	require.NoError(t, err)
	require.Zero(t, none.GetVersion())
	require.Empty(t, none.GetDocument())

	good, err := admin.CheckReceivers(ctx, &adminv1.CheckReceiversRequest{Document: receivers})
	require.NoError(t, err)
	require.Empty(t, good.GetProblems())

	bad, err := admin.CheckReceivers(ctx, &adminv1.CheckReceiversRequest{Document: "receivers: 7"})
	require.NoError(t, err)
	require.Equal(t, "receivers", bad.GetProblems()[0].GetField())
	require.Equal(t, "wrong_type", bad.GetProblems()[0].GetCode())

	_, err = admin.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: "receivers: 7"})
	require.Equal(t, []string{"document.receivers"}, requireError(t, err, codes.InvalidArgument, "RECEIVERS_INVALID"))

	applied, err := admin.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: receivers})
	require.NoError(t, err)

	got, err := admin.GetReceivers(ctx, &adminv1.GetReceiversRequest{})
	require.NoError(t, err)
	require.Equal(t, applied.GetVersion(), got.GetVersion())
	require.Equal(t, receivers, got.GetDocument())
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	stream, err := delivery.Open(t.Context(), w.log.JetStream(), delivery.Options{})
	require.NoError(t, err)

	beside := w.beside()
	beside.run(func(_ *query.Config, d *query.Deps) { d.Letters = stream })

	admin, ctx := beside.admin(), beside.as(access.RoleAdmin)

	for _, n := range []*delivery.Notice{
		{ID: "n1", Workspace: home, Receiver: "page", Status: delivery.StatusDead, Members: []string{"a-1", "b-7"}, Reason: "gone"},
		{ID: "n2", Workspace: home, Receiver: "chat", Status: delivery.StatusDead, Members: []string{"a-1"}, Attempts: 3},
		{ID: "n3", Workspace: home, Receiver: "chat", Status: delivery.StatusDelivered},
		{ID: "n4", Workspace: "other", Receiver: "chat", Status: delivery.StatusDead},
	} {
		_, err := stream.Put(t.Context(), delivery.Write{Record: n})
		require.NoError(t, err)
	}

	first, err := admin.ListDeadLetters(ctx, &adminv1.ListDeadLettersRequest{PageSize: 1})
	require.NoError(t, err)
	require.Len(t, first.GetLetters(), 1)
	require.Equal(t, "n2", first.GetLetters()[0].GetLetterId(), "the newest first")
	require.EqualValues(t, 3, first.GetLetters()[0].GetAttempts())

	second, err := admin.ListDeadLetters(ctx, &adminv1.ListDeadLettersRequest{PageToken: first.GetNextPageToken()})
	require.NoError(t, err)
	require.Len(t, second.GetLetters(), 1)
	require.Equal(t, []string{"a", "b"}, second.GetLetters()[0].GetAlertIds())
	require.Equal(t, "gone", second.GetLetters()[0].GetReason())
	require.Empty(t, second.GetNextPageToken())

	_, err = admin.ListDeadLetters(ctx, &adminv1.ListDeadLettersRequest{PageToken: "x"})
	requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")

	for want, req := range map[int32]*adminv1.ResendDeadLettersRequest{
		0: {LetterIds: []string{"n3", "n4"}},
		1: {Receiver: "page"},
		2: {},
	} {
		r, err := admin.ResendDeadLetters(ctx, req)
		require.NoError(t, err)
		require.Equal(t, want, r.GetResent())
	}
}
