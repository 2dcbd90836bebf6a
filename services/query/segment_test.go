package query_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/settings"
)

// later is a log time behind all others.
func (w *world) later() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()

	latest := noon()
	for _, p := range w.parts {
		latest = max(latest, p.state.LogTime)
	}

	return latest + 1
}

// customer makes an account with a plan and revenue.
func (w *world) customer(id, plan string, arr int64) {
	w.score(home, id, w.later(), 0, profiled(id, &eventv1.Account{
		Plan: new(plan), ArrMicros: new(arr * 1_000_000), Currency: new("EUR"),
	}))
}

// setSegment stores a segment.
func (w *world) setSegment(tb testing.TB, name, filter string) *healthv1.Segment {
	tb.Helper()

	got, err := w.health().SetSegment(w.as(access.RoleOperator), &healthv1.SetSegmentRequest{
		Segment: &healthv1.Segment{Name: name, Filter: filter},
	})
	require.NoError(tb, err)

	return got.GetSegment()
}

func TestSegments(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	client, ctx := w.health(), w.as(access.RoleOperator)

	w.customer("acme", "pro", 100)
	w.customer("beta", "pro", 20)
	w.customer("gamma", "free", 0)
	require.Eventually(t, func() bool { return len(w.matching(t, "")) == 3 }, patience, time.Millisecond)

	paying := w.setSegment(t, "paying", `plan = "pro"`)
	require.Equal(t, int32(2), paying.GetAccounts())
	require.Equal(t, map[string]float64{"EUR": 120}, paying.GetArr())
	require.Positive(t, paying.GetRevision())
	require.Len(t, w.matching(t, `in_segment("paying") AND arr > 50`), 1, "lists know it at once")

	t.Run("a change names the revision that it is of", func(t *testing.T) {
		_, err := client.SetSegment(ctx, &healthv1.SetSegmentRequest{Segment: &healthv1.Segment{
			Name: "paying", Filter: "arr > 0", Revision: paying.GetRevision() + 1,
		}})
		requireError(t, err, codes.Aborted, "REVISION_MISMATCH")

		got, err := client.SetSegment(ctx, &healthv1.SetSegmentRequest{Segment: &healthv1.Segment{
			Name: "paying", Filter: "arr > 0", Description: "who pays", Revision: paying.GetRevision(),
		}})
		require.NoError(t, err)
		require.Greater(t, got.GetSegment().GetRevision(), paying.GetRevision())
		require.Equal(t, "who pays", got.GetSegment().GetDescription())
	})

	t.Run("what nobody could use is refused", func(t *testing.T) {
		for _, filter := range []string{"", " ", "plan = ", "nonsense = 1", `in_segment("paying")`} {
			_, err := client.SetSegment(ctx, &healthv1.SetSegmentRequest{
				Segment: &healthv1.Segment{Name: "other", Filter: filter},
			})
			require.Equal(t, []string{"segment.filter"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"), filter)
		}

		_, err := client.SetSegment(ctx, &healthv1.SetSegmentRequest{
			Segment: &healthv1.Segment{Name: "No good name", Filter: "arr > 0"},
		})
		require.Equal(t, []string{"segment.name"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	})

	t.Run("are listed by name, those of the workspace", func(t *testing.T) {
		_, err := w.settings.PutSegment(t.Context(), settings.Segment{Workspace: "other", Name: "a", Filter: "arr > 0"})
		require.NoError(t, err)
		w.setSegment(t, "free", `plan = "free"`)

		got, err := client.ListSegments(ctx, &healthv1.ListSegmentsRequest{})
		require.NoError(t, err)
		require.Len(t, got.GetSegments(), 2)
		require.Equal(t, "free", got.GetSegments()[0].GetName())
		require.Equal(t, int32(1), got.GetSegments()[0].GetAccounts())
		require.Equal(t, map[string]float64{"EUR": 0}, got.GetSegments()[0].GetArr())
		require.Equal(t, map[string]float64{"EUR": 120}, got.GetSegments()[1].GetArr())
	})

	t.Run("are gone when they are deleted", func(t *testing.T) {
		_, err := client.DeleteSegment(ctx, &healthv1.DeleteSegmentRequest{Name: "free"})
		require.NoError(t, err)

		_, err = client.GetSegment(ctx, &healthv1.GetSegmentRequest{Name: "free"})
		requireError(t, err, codes.NotFound, "SEGMENT_NOT_FOUND")
		_, err = client.DeleteSegment(ctx, &healthv1.DeleteSegmentRequest{Name: "free"})
		requireError(t, err, codes.NotFound, "SEGMENT_NOT_FOUND")
		_, err = client.ListAccounts(ctx, &healthv1.ListAccountsRequest{Filter: `in_segment("free")`})
		require.Equal(t, []string{"filter"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	})

	t.Run("a workspace has so many at most", func(t *testing.T) {
		for i := range 199 {
			_, err := w.settings.PutSegment(t.Context(), settings.Segment{
				Workspace: home, Name: "s" + strconv.Itoa(i), Filter: "arr > 0",
			})
			require.NoError(t, err)
		}

		require.Eventually(t, func() bool {
			got, err := client.ListSegments(ctx, &healthv1.ListSegmentsRequest{})

			return err == nil && len(got.GetSegments()) == 200
		}, patience, time.Millisecond)

		_, err := client.SetSegment(ctx, &healthv1.SetSegmentRequest{
			Segment: &healthv1.Segment{Name: "one-more", Filter: "arr > 0"},
		})
		requireError(t, err, codes.ResourceExhausted, "SEGMENTS_FULL")
		w.setSegment(t, "paying", "arr > 1")
	})
}

func TestWatchASegment(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), eager)
	w.customer("acme", "pro", 100)
	w.customer("beta", "free", 1)
	require.Eventually(t, func() bool { return len(w.matching(t, "")) == 2 }, patience, time.Millisecond)
	w.setSegment(t, "paying", `plan = "pro"`)

	c := w.watching(t, `in_segment("paying")`)
	require.Len(t, c.held, 1)

	// next takes parts until one that tells something.
	next := func() *healthv1.AccountChange {
		for {
			got, err := c.take()
			require.NoError(t, err)

			if len(got.GetChanges()) > 0 {
				return got.GetChanges()[0]
			}
		}
	}

	w.customer("beta", "pro", 1)
	require.Equal(t, healthv1.AccountChange_KIND_ENTERED, next().GetKind())
	w.customer("beta", "pro", 2)
	require.Equal(t, healthv1.AccountChange_KIND_UPDATED, next().GetKind())
	w.customer("beta", "free", 2)

	gone := next()
	require.Equal(t, healthv1.AccountChange_KIND_LEFT, gone.GetKind())
	require.True(t, proto.Equal(&healthv1.AccountSummary{AccountId: "beta"}, gone.GetAccount()))

	w.setSegment(t, "another", "arr > 0")
	w.setSegment(t, "paying", `plan = "free"`)

	var err error
	for err == nil {
		_, err = c.take()
	}

	requireError(t, err, codes.Aborted, "SEGMENT_CHANGED")
	require.NotEmpty(t, resumeTokenOf(err))
	require.NoError(t, c.connect(w))

	got, err := c.take()
	require.NoError(t, err)
	require.True(t, got.GetReset_(), "what matched by the old filter is forgotten")
	require.True(t, c.holds(w.matching(t, `plan = "free"`)))
}

// maskOf asks for fields.
func maskOf(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

func TestWatchWithAMask(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), eager)
	w.customer("acme", "pro", 100)
	require.Eventually(t, func() bool { return len(w.matching(t, "")) == 1 }, patience, time.Millisecond)

	stream, err := w.health().WatchHealth(w.as(access.RoleViewer), &healthv1.WatchHealthRequest{
		Snapshot: true, ReadMask: maskOf("plan"),
	})
	require.NoError(t, err)

	got, err := stream.Recv()
	require.NoError(t, err)
	require.True(t, proto.Equal(&healthv1.AccountSummary{AccountId: "acme", Plan: "pro"}, got.GetChanges()[0].GetAccount()))

	w.customer("acme", "pro", 200) // nothing that is asked for
	w.customer("acme", "free", 200)

	for got.GetSnapshotComplete() || len(got.GetChanges()) == 0 {
		got, err = stream.Recv()
		require.NoError(t, err)
	}

	require.True(t, proto.Equal(&healthv1.AccountSummary{AccountId: "acme", Plan: "free"}, got.GetChanges()[0].GetAccount()))

	stream, err = w.health().WatchHealth(w.as(access.RoleViewer), &healthv1.WatchHealthRequest{ReadMask: maskOf("nonsense")})
	require.NoError(t, err)

	_, err = stream.Recv()
	requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
}
