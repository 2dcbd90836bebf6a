package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query"
)

// requireAdminOnly checks that a key that is no admin's can do nothing of the administration.
func requireAdminOnly(t *testing.T, w *world, key string) {
	t.Helper()

	ctx, admin := withKey(t.Context(), key), w.admin()

	_, err := admin.GetScorecards(ctx, nil)
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.CheckScorecards(ctx, &adminv1.CheckScorecardsRequest{Document: "x"})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{Document: "x"})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: "x"})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.ResendRejects(ctx, &adminv1.ResendRejectsRequest{})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.ListPartitions(ctx, &adminv1.ListPartitionsRequest{})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.StartRebuild(ctx, &adminv1.StartRebuildRequest{})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{})
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")

	stream, err := admin.WatchTasks(ctx, &adminv1.WatchTasksRequest{TaskId: "x"})
	require.NoError(t, err)
	_, err = stream.Recv()
	requireError(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
}

// published reads the versions of scorecards that each partition's log holds for a workspace.
func (w *world) published(workspace string) map[int][]uint64 {
	w.tb.Helper()

	return w.versions(workspace, func(r *logv1.Record) uint64 { return r.GetSetScorecards().GetVersion() })
}

// publishedRules reads the versions of rules.
func (w *world) publishedRules(workspace string) map[int][]uint64 {
	w.tb.Helper()

	return w.versions(workspace, func(r *logv1.Record) uint64 { return r.GetSetRules().GetVersion() })
}

// versions reads what is not 0 from a workspace's records, by partition.
func (w *world) versions(workspace string, of func(*logv1.Record) uint64) map[int][]uint64 {
	w.tb.Helper()

	info, err := w.log.Info(w.tb.Context(), 0)
	require.NoError(w.tb, err)

	found := map[int][]uint64{}
	if info.Last == 0 {
		return found
	}

	err = w.log.Read(w.tb.Context(), 0, 0, func(m *eventlog.Message) error {
		for _, r := range m.Records {
			if version := of(r); version != 0 && r.GetWorkspace() == workspace {
				found[m.Partition] = append(found[m.Partition], version)
			}
		}

		if m.Sequence >= info.Last {
			return io.EOF
		}

		return nil
	})
	require.ErrorIs(w.tb, err, io.EOF)

	return found
}

func TestScorecards(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)
	shipped := string(scorecard.ShippedDocument())

	got, err := admin.GetScorecards(ctx, &adminv1.GetScorecardsRequest{})
	require.NoError(t, err)
	require.Zero(t, got.GetVersion())
	require.Equal(t, shipped, got.GetDocument())

	good, err := admin.CheckScorecards(ctx, &adminv1.CheckScorecardsRequest{Document: shipped})
	require.NoError(t, err)
	require.Empty(t, good.GetProblems())

	bad, err := admin.CheckScorecards(ctx, &adminv1.CheckScorecardsRequest{Document: "scorecards: 7"})
	require.NoError(t, err)
	require.NotEmpty(t, bad.GetProblems())

	_, err = admin.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{Document: "scorecards: 7"})
	fields := requireError(t, err, codes.InvalidArgument, "SCORECARDS_INVALID")
	require.Len(t, fields, len(bad.GetProblems()))
	require.True(t, strings.HasPrefix(fields[0], "document"))
	_, err = admin.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{})
	require.Equal(t, []string{"document"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	document := strings.Replace(shipped, "name: onboarding", "name: newcomers", 1)
	applied, err := admin.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{Document: document})
	require.NoError(t, err)
	require.Positive(t, applied.GetVersion())

	got, err = admin.GetScorecards(ctx, &adminv1.GetScorecardsRequest{})
	require.NoError(t, err)
	require.Equal(t, applied.GetVersion(), got.GetVersion())
	require.Equal(t, document, got.GetDocument())

	// Every partition's log has it, and its token makes reads wait for it.
	want, sequences := map[int][]uint64{}, map[int]uint64{}
	for n := range partitions {
		want[n] = []uint64{applied.GetVersion()}
	}

	require.Equal(t, want, w.published(home))

	token, err := w.log.ParseToken(applied.GetToken())
	require.NoError(t, err)
	token.Each(func(partition int, sequence uint64) { sequences[partition] = sequence })
	require.Len(t, sequences, partitions)

	w.score(home, "acme", noon(), stay, used("acme"))

	var reader sync.WaitGroup

	reader.Go(func() {
		got, err := w.health().GetHealth(w.as(access.RoleViewer),
			&healthv1.GetHealthRequest{AccountId: "acme", AtLeast: applied.GetToken()})
		if err != nil || got.GetHealth().GetScorecard() != "newcomers" {
			t.Errorf("reading with the token: %v, %v", got, err)
		}
	})
	w.setScorecards(home, applied.GetVersion(), []byte(document), sequences)
	reader.Wait()
}

func TestRules(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)
	shipped := string(rule.ShippedDocument())

	got, err := admin.GetRules(ctx, &adminv1.GetRulesRequest{})
	require.NoError(t, err)
	require.Zero(t, got.GetVersion())
	require.Equal(t, shipped, got.GetDocument())

	good, err := admin.CheckRules(ctx, &adminv1.CheckRulesRequest{Document: shipped})
	require.NoError(t, err)
	require.Empty(t, good.GetProblems())

	wrong := strings.Replace(shipped, "score_change_7d <= -15", "score_change_7d / 0 <= -15", 1)
	bad, err := admin.CheckRules(ctx, &adminv1.CheckRulesRequest{Document: wrong})
	require.NoError(t, err)
	require.Equal(t, "rules[2].when", bad.GetProblems()[0].GetField())

	_, err = admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: wrong})
	require.Equal(t, []string{"document.rules[2].when"}, requireError(t, err, codes.InvalidArgument, "RULES_INVALID"))
	_, err = admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{})
	require.Equal(t, []string{"document"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	require.Empty(t, w.publishedRules(home))

	document := strings.Replace(shipped, "name: detractor", "name: unhappy", 1)
	applied, err := admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: document})
	require.NoError(t, err)
	require.Positive(t, applied.GetVersion())

	got, err = admin.GetRules(ctx, &adminv1.GetRulesRequest{})
	require.NoError(t, err)
	require.Equal(t, applied.GetVersion(), got.GetVersion())
	require.Equal(t, document, got.GetDocument())
	require.Equal(t, everywhere(applied.GetVersion()), w.publishedRules(home))
	require.Empty(t, w.published(home), "they are no scorecards")

	token, err := w.log.ParseToken(applied.GetToken())
	require.NoError(t, err)

	count := 0
	token.Each(func(int, uint64) { count++ })
	require.Equal(t, partitions, count)
}

// everywhere is a version in every partition.
func everywhere(version uint64) map[int][]uint64 {
	all := map[int][]uint64{}
	for n := range partitions {
		all[n] = []uint64{version}
	}

	return all
}

func TestReconcileRules(t *testing.T) {
	t.Parallel()

	w := prepare(t, openMemory(t))
	version, err := w.settings.Rules().Put(t.Context(), home, rule.ShippedDocument())
	require.NoError(t, err)

	w.run(func(c *query.Config, _ *query.Deps) { c.ReconcileAfter = 20 * time.Millisecond })
	require.Eventually(t, func() bool {
		got, err := w.settings.Rules().Published(t.Context(), home, w.log.Layout().ID)

		return err == nil && got == version
	}, patience, 5*time.Millisecond)
	require.Equal(t, everywhere(version), w.publishedRules(home))
}

func TestReconcile(t *testing.T) {
	t.Parallel()

	w := prepare(t, openMemory(t))
	document := scorecard.ShippedDocument()

	// Stored but never published, as after a crash in the middle of ApplyScorecards.
	version, err := w.settings.Scorecards().Put(t.Context(), home, document)
	require.NoError(t, err)
	done, err := w.settings.Scorecards().Put(t.Context(), "other", document)
	require.NoError(t, err)
	require.NoError(t, w.settings.Scorecards().MarkPublished(t.Context(), "other", w.log.Layout().ID, done))

	w.run(func(c *query.Config, _ *query.Deps) { c.ReconcileAfter = 20 * time.Millisecond })
	require.Eventually(t, func() bool {
		got, err := w.settings.Scorecards().Published(t.Context(), home, w.log.Layout().ID)

		return err == nil && got == version
	}, patience, 5*time.Millisecond)

	want := map[int][]uint64{}
	for n := range partitions {
		want[n] = []uint64{version}
	}

	require.Equal(t, want, w.published(home))
	require.Empty(t, w.published("other"))
}

// resender is the ingest service as far as query needs it.
type resender struct {
	writer *eventlog.Writer
	log    *eventlog.Log
	fail   func(reject.Stored) error
	mu     sync.Mutex
	sent   []string
}

func (r *resender) Resend(ctx context.Context, s reject.Stored) (eventlog.Token, error) {
	if err := r.fail(s); err != nil {
		return eventlog.Token{}, err
	}

	r.mu.Lock()
	r.sent = append(r.sent, s.MessageID)
	r.mu.Unlock()

	return r.writer.Write(ctx, []eventlog.Item{{
		Partition: r.log.Layout().Partition(s.Workspace, s.AccountID),
		Record: &logv1.Record{
			Workspace: s.Workspace, Payload: &logv1.Record_Event{Event: used(s.AccountID)},
		},
	}})
}

func TestRejects(t *testing.T) {
	t.Parallel()

	sender := &resender{fail: func(s reject.Stored) error {
		switch s.MessageID {
		case "message-2":
			return status.Error(codes.InvalidArgument, "still wrong")
		default:
			return nil
		}
	}}
	w := start(t, openMemory(t), func(_ *query.Config, d *query.Deps) { d.Resender = sender })
	sender.log, sender.writer = w.log, w.writer()

	for i := range 7 {
		code := "too_long"
		if i%2 == 0 {
			code = "required"
		}

		require.NoError(t, w.rejects.Put(t.Context(), reject.Reject{
			ID: fmt.Sprint("id-", i), Workspace: home, Code: code, Field: "ticket.severity", Message: "why",
			MessageID: fmt.Sprint("message-", i), AccountID: "acme", Origin: "native", Body: []byte("{}"),
		}))
	}

	require.NoError(t, w.rejects.Put(t.Context(), reject.Reject{ID: "x", Workspace: "other", Code: "required"}))

	list := func(req *healthv1.ListRejectsRequest) []*healthv1.Reject {
		var all []*healthv1.Reject

		for {
			got, err := w.health().ListRejects(w.as(access.RoleViewer), req)
			require.NoError(t, err)

			all = append(all, got.GetRejects()...)
			if req.PageToken = got.GetNextPageToken(); req.GetPageToken() == "" {
				return all
			}
		}
	}

	all := list(&healthv1.ListRejectsRequest{PageSize: 3})
	require.Len(t, all, 7)
	require.Equal(t, "message-6", all[0].GetMessageId(), "the newest comes first")
	require.Equal(t, "ticket.severity", all[0].GetField())
	require.Equal(t, "{}", string(all[0].GetBody()))
	require.Len(t, list(&healthv1.ListRejectsRequest{Code: "too_long"}), 3)

	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	// By id: of another code, and not there.
	got, err := admin.ResendRejects(ctx, &adminv1.ResendRejectsRequest{Ids: []uint64{all[0].GetId(), 999}, Code: "too_long"})
	require.NoError(t, err)
	require.Zero(t, got.GetAccepted())
	require.Equal(t, int32(1), got.GetRefused())
	require.Empty(t, got.GetToken())

	got, err = admin.ResendRejects(ctx, &adminv1.ResendRejectsRequest{Code: "required"})
	require.NoError(t, err)
	require.Equal(t, int32(3), got.GetAccepted())
	require.Equal(t, int32(1), got.GetRefused())
	require.NotEmpty(t, got.GetToken())
	require.Equal(t, []string{"message-0", "message-4", "message-6"}, sender.sent, "the oldest first")
	require.Len(t, list(&healthv1.ListRejectsRequest{}), 4)
	require.Len(t, list(&healthv1.ListRejectsRequest{Code: "required"}), 1)

	sender.fail = func(reject.Stored) error { return eventlog.ErrBusy }
	_, err = admin.ResendRejects(ctx, &adminv1.ResendRejectsRequest{})
	requireError(t, err, codes.ResourceExhausted, "LOG_BUSY")

	sender.fail = func(reject.Stored) error { return errors.New("odd") }
	_, err = admin.ResendRejects(ctx, &adminv1.ResendRejectsRequest{})
	requireError(t, err, codes.Internal, "INTERNAL")
	require.Len(t, list(&healthv1.ListRejectsRequest{}), 4)
}

func TestResendWithoutAnIngestService(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	_, err := w.admin().ResendRejects(w.as(access.RoleAdmin), &adminv1.ResendRejectsRequest{})
	requireError(t, err, codes.Unimplemented, "RESEND_UNAVAILABLE")
}

func TestTailEvents(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	writer := w.writer()

	var want []string

	for i := range 20 {
		w.write(writer, accountID(i))
		want = append(want, accountID(i))
	}

	_, err := writer.Write(t.Context(), []eventlog.Item{
		{Partition: 0, Record: &logv1.Record{Workspace: "other", Payload: &logv1.Record_Event{Event: used("hidden")}}},
		{Partition: 1, Record: &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}}},
	})
	require.NoError(t, err)

	t.Run("ends where the log ended", func(t *testing.T) {
		t.Parallel()

		for last, n := range map[int32]int{0: 0, 3: 1, 1000: 20} {
			stream, err := w.admin().TailEvents(w.as(access.RoleAdmin),
				&adminv1.TailEventsRequest{Last: last, NoFollow: true})
			require.NoError(t, err)

			var got []string

			for {
				r, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					break
				}

				require.NoError(t, err)
				require.NotZero(t, r.GetSequence())
				require.WithinDuration(t, time.Now(), r.GetLoggedAt().AsTime(), time.Hour)

				got = append(got, r.GetRecord().GetEvent().GetAccountId())
			}

			require.Equal(t, want[len(want)-n:], append([]string{}, got...))
		}
	})

	t.Run("refuses what it cannot do", func(t *testing.T) {
		t.Parallel()

		stream, err := w.admin().TailEvents(w.as(access.RoleAdmin), &adminv1.TailEventsRequest{Last: -1})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Equal(t, []string{"last"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	})
}

func TestTailEventsUntilTheEnd(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	writer := w.writer()
	stream, err := w.admin().TailEvents(w.as(access.RoleAdmin), &adminv1.TailEventsRequest{Last: 1})
	require.NoError(t, err)

	w.write(writer, "early") // whether it is there at the start or not, it comes

	r, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, "early", r.GetRecord().GetEvent().GetAccountId())

	w.write(writer, "late")

	r, err = stream.Recv()
	require.NoError(t, err)
	require.Equal(t, "late", r.GetRecord().GetEvent().GetAccountId())

	start := time.Now()

	require.NoError(t, w.stop())
	require.Less(t, time.Since(start), 5*time.Second, "a stream does not hold the end back")

	_, err = stream.Recv()
	requireError(t, err, codes.Unavailable, "STOPPING")
	require.Error(t, w.service.Ready())
}
