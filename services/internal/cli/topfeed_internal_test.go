package cli

import (
	"context"
	"errors"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/cli/top"
)

// streams plays a server whose streams are cut after what they have.
type streams[Q proto.Message, R any] struct {
	asked []Q
	parts [][]*R
	last  error
}

func (s *streams[Q, R]) open(q Q) (grpc.ServerStreamingClient[R], error) {
	s.asked = append(s.asked, proto.CloneOf(q))

	if len(s.parts) == 0 {
		return nil, s.last
	}

	one := &stream[R]{parts: s.parts[0]}
	s.parts = s.parts[1:]

	return one, nil
}

type stream[R any] struct {
	grpc.ClientStream

	parts []*R
}

func (s *stream[R]) Recv() (*R, error) {
	if len(s.parts) == 0 {
		return nil, status.Error(codes.Unavailable, "the server goes")
	}

	one := s.parts[0]
	s.parts = s.parts[1:]

	return one, nil
}

type alertStreams struct {
	alertv1.AlertServiceClient
	streams[*alertv1.WatchAlertsRequest, alertv1.WatchAlertsResponse]
}

func (a *alertStreams) WatchAlerts(
	_ context.Context, q *alertv1.WatchAlertsRequest, _ ...grpc.CallOption,
) (grpc.ServerStreamingClient[alertv1.WatchAlertsResponse], error) {
	return a.open(q)
}

type healthStreams struct {
	healthv1.HealthServiceClient
	streams[*healthv1.WatchHealthRequest, healthv1.WatchHealthResponse]
}

func (h *healthStreams) WatchHealth(
	_ context.Context, q *healthv1.WatchHealthRequest, _ ...grpc.CallOption,
) (grpc.ServerStreamingClient[healthv1.WatchHealthResponse], error) {
	return h.open(q)
}

func TestTopFeeds(t *testing.T) {
	t.Parallel()

	refused := status.Error(codes.PermissionDenied, "the key has ended")

	var got []tea.Msg

	alerts, health := &alertStreams{}, &healthStreams{}
	alerts.last, health.last = refused, refused
	alerts.parts = [][]*alertv1.WatchAlertsResponse{
		{{Snapshot: []*alertv1.Alert{{AlertId: "cut"}}}}, // a snapshot without its end
		{{Snapshot: []*alertv1.Alert{{AlertId: "a1"}}}, {ResumeToken: "one"}},
		{{ResumeToken: "two"}},
	}
	health.parts = [][]*healthv1.WatchHealthResponse{
		{{Changes: []*healthv1.AccountChange{{}}}},
		{{ResumeToken: "one"}},
		{{Changes: []*healthv1.AccountChange{{}}, ResumeToken: "two"}},
	}
	f := &topFeeds{
		alerts: alerts, health: health, send: func(msg tea.Msg) { got = append(got, msg) }, moved: make(chan struct{}, 1),
	}

	require.ErrorIs(t, f.watchAlerts(t.Context()), refused, "what cannot go on ends the view")

	tokens := make([]string, 0, len(alerts.asked))
	for _, q := range alerts.asked {
		require.True(t, q.GetSnapshot())

		tokens = append(tokens, q.GetResumeToken())
	}

	require.Equal(t, []string{"", "", "one", "two"}, tokens)

	var resets []bool

	for _, msg := range got {
		switch msg := msg.(type) {
		case top.AlertsPart:
			resets = append(resets, msg.Part.GetReset_())
		case top.FeedState:
			require.Equal(t, top.FeedAlerts, msg.Feed)
			require.EqualError(t, msg.Err, "the server goes (Unavailable)")
		}
	}

	require.Equal(t, []bool{true, true, false, false}, resets, "a snapshot that was cut is forgotten; what has a token is not")

	got = nil

	require.ErrorIs(t, f.watchAccounts(t.Context()), refused)
	require.Len(t, health.asked, 4)
	require.Equal(t, "two", health.asked[3].GetResumeToken())
	require.Contains(t, health.asked[0].GetReadMask().GetPaths(), "score_change_7d")
	require.Len(t, got, 6, "three parts, and three times that it was cut")
	require.Len(t, f.moved, 1, "the portfolio is to be read again, once")
}

func TestFlatError(t *testing.T) {
	t.Parallel()

	require.NoError(t, flatError(nil))
	require.EqualError(t, flatError(errors.New("one\ntwo")), "one; two")
}

func TestTopEnded(t *testing.T) {
	t.Parallel()

	broken, refused := errors.New("no terminal"), errors.New("refused")

	require.NoError(t, topEnded(nil, nil), "the user closed it")
	require.NoError(t, topEnded(broken, context.Canceled), "it was told to stop")
	require.ErrorIs(t, topEnded(broken, nil), broken)
	require.ErrorIs(t, topEnded(nil, refused), refused, "a feed gave up")
}
