package access_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
	"hale.dev/services/internal/settings"
)

// clock is a clock that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// reading is a stream that gets one message of five bytes after another.
type reading struct{ contextStream }

func (*reading) RecvMsg(m any) error {
	m.(*wrapperspb.StringValue).Value = "abc"

	return nil
}

func (*reading) SendMsg(any) error { return nil }

// stream is a stream under way, and what ended it.
type stream struct {
	opened chan grpc.ServerStream
	ended  chan error
}

// open opens a stream with a key. It lasts until its context ends.
func open(t *testing.T, keys *access.Keyring, key string) *stream {
	t.Helper()

	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+key))
	intercept := access.StreamInterceptor(keys, func(string) access.Need { return access.Any(access.RoleViewer) })
	s := &stream{opened: make(chan grpc.ServerStream, 1), ended: make(chan error, 1)}

	go func() {
		s.ended <- intercept(nil, &reading{contextStream{ctx: ctx}}, &grpc.StreamServerInfo{FullMethod: "/x"},
			func(_ any, ss grpc.ServerStream) error {
				s.opened <- ss

				<-ss.Context().Done()

				return context.Cause(ss.Context())
			})
	}()

	return s
}

// requireEnds waits for the end of a stream, after which it takes and gives nothing.
func (s *stream) requireEnds(t *testing.T, reason string) {
	t.Helper()

	select {
	case err := <-s.ended:
		requireRefused(t, err, codes.Unauthenticated, reason)
	case <-time.After(patience):
		require.Fail(t, "the stream goes on")
	}

	ss := <-s.opened
	requireRefused(t, ss.SendMsg(nil), codes.Unauthenticated, reason)
	requireRefused(t, ss.RecvMsg(&wrapperspb.StringValue{}), codes.Unauthenticated, reason)
}

func TestStreamsEndWithWhatOpenedThem(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	c, issuer := &clock{}, oidctest.New(t)

	tokens, err := oidc.New(oidc.Config{
		Issuer: issuer.URL, Audience: oidctest.Audience, WorkspaceClaim: "workspace", Roles: oidctest.Roles(),
	}, oidc.Options{Now: c.now})
	require.NoError(t, err)

	lasting, revoked, ending := addKey(t, s, "w", access.RoleViewer), addKey(t, s, "w", access.RoleViewer), access.NewKey(access.RoleViewer)
	expires := time.Now().Add(30 * time.Minute)
	require.NoError(t, s.PutKey(t.Context(), settings.Key{
		Hash: access.Hash(ending), Workspace: "w", Role: "viewer", Expires: &expires,
	}))

	keys, err := access.Open(t.Context(), s, access.WithClock(c.now), access.WithTokens(tokens))
	require.NoError(t, err)

	stays, one, two, three := open(t, keys, lasting), open(t, keys, revoked), open(t, keys, ending),
		open(t, keys, issuer.For("w", access.RoleViewer))

	for _, s := range []*stream{stays, one, two, three} {
		ss := <-s.opened
		require.NoError(t, ss.SendMsg(nil))
		s.opened <- ss
	}

	require.NoError(t, s.DeleteKey(t.Context(), access.Hash(revoked)))
	one.requireEnds(t, "KEY_ENDED")

	c.advance(31 * time.Minute)
	two.requireEnds(t, "KEY_ENDED")

	c.advance(time.Hour)
	three.requireEnds(t, "OIDC_TOKEN_EXPIRED")

	require.Empty(t, stays.ended)

	ss := <-stays.opened
	require.NoError(t, ss.Context().Err())
	require.NoError(t, ss.SendMsg(nil))
}

func TestMessagesOfStreamsAreRequests(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	often, large := access.NewKey(access.RoleViewer), access.NewKey(access.RoleViewer)

	for key, limits := range map[string]settings.KeyLimits{
		often: {Rate: 0.001, Burst: 2}, large: {MaxBytes: 4},
	} {
		require.NoError(t, s.PutKey(t.Context(), settings.Key{
			Hash: access.Hash(key), Workspace: "w", Role: "viewer", Limits: &limits,
		}))
	}

	keys, err := access.Open(t.Context(), s)
	require.NoError(t, err)

	ss := <-open(t, keys, often).opened
	require.NoError(t, ss.RecvMsg(&wrapperspb.StringValue{}), "the stream was counted for it")
	require.NoError(t, ss.RecvMsg(&wrapperspb.StringValue{}))

	var limit *access.LimitError

	require.ErrorAs(t, ss.RecvMsg(&wrapperspb.StringValue{}), &limit)
	require.Equal(t, "RATE_LIMITED", limit.Reason)
	require.Positive(t, limit.RetryAfter)

	ss = <-open(t, keys, large).opened
	require.ErrorAs(t, ss.RecvMsg(&wrapperspb.StringValue{}), &limit)
	require.Equal(t, "REQUEST_TOO_LARGE", limit.Reason)
}
