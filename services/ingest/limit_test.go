package ingest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/settings"
)

// newKey makes a key with limits, and waits until it is known.
func (b *bundle) newKey(role access.Role, l settings.KeyLimits) string {
	b.t.Helper()

	key := access.NewKey(role)
	require.NoError(b.t, b.settings.PutKey(b.t.Context(), settings.Key{
		Hash: access.Hash(key), Workspace: "w", Role: role.String(), Limits: &l,
	}))
	require.Eventually(b.t, func() bool {
		_, err := b.deps.Keyring.Admit(b.t.Context(), key, 0, access.Any(access.RoleNone))

		return errors.Is(err, access.ErrWrongKind) // it is known, and nothing was counted
	}, patience, time.Millisecond)

	return key
}

// chunked hides how long a body is.
func chunked(r *http.Request) {
	r.ContentLength = -1
	r.Body = io.NopCloser(r.Body)
}

func TestTheSizeOfBodiesIsBounded(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	key := b.newKey(access.RoleIngest, settings.KeyLimits{MaxBytes: 500})
	native := func(id string, padding int) string {
		return `{"type":"usage","id":"` + id + `","account":"a","feature":"f"}` + strings.Repeat(" ", padding)
	}
	segment := func(id string, padding int) string {
		return `{"writeKey":"` + key + `","messageId":"` + id + `","event":"E","groupId":"a"}` + strings.Repeat(" ", padding)
	}

	for name, options := range map[string][]func(*http.Request){
		"told beforehand": nil, "in chunks": {chunked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			a := b.post("/v1/events", key, native("n1", 0), options...)
			require.Equal(t, http.StatusOK, a.status, "%+v", a)
			require.Equal(t, 1, a.Accepted)

			a = b.post("/v1/events", key, native("n2", 500), options...)
			require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
			require.Equal(t, CodeRequestTooLarge, a.Code)
			require.Contains(t, a.Message, "500 bytes that the key allows")
			require.Nil(t, b.event("n2"))

			packed := append([]func(*http.Request){header("Content-Encoding", "gzip")}, options...)
			a = b.post("/v1/events", key, pack(native("n3", 5000)), packed...)
			require.Equal(t, http.StatusOK, a.status, "bytes are counted as they come: %+v", a)

			// Segment's clients know no 413, and may have the key in the body.
			for _, in := range []string{key, ""} {
				a = b.post(track, in, segment("s1", 0), options...)
				require.Equal(t, http.StatusOK, a.status, "%+v", a)

				a = b.post(track, in, segment("s2", 500), options...)
				require.Equal(t, http.StatusBadRequest, a.status)
				require.Equal(t, CodeRequestTooLarge, a.Code)
				require.Nil(t, b.event("s2"))
			}

			a = b.post("/v1/events", b.ingest, native("n4", 500), options...)
			require.Equal(t, http.StatusOK, a.status, "another key has no limit")
		})
	}
}

func TestEveryAddressHoldsKeysToTheirRate(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	for name, send := range map[string]func(key string) *answerOf{
		"events": func(key string) *answerOf { return b.post("/v1/events", key, "[]") },
		"track":  func(key string) *answerOf { return b.post(track, key, "{}") },
		"the key in the body": func(key string) *answerOf {
			return b.post(track, "", `{"writeKey":"`+key+`","event":"E","userId":"u"}`)
		},
		"settings": func(key string) *answerOf {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v1/projects/"+key+"/settings", http.NoBody)
			require.NoError(t, err)

			return b.do(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			key := b.newKey(access.RoleIngest, settings.KeyLimits{Rate: 0.001, Burst: 1})
			require.NotEqual(t, http.StatusTooManyRequests, send(key).status)

			a := send(key)
			require.Equal(t, http.StatusTooManyRequests, a.status)
			require.Equal(t, CodeRateLimited, a.Code)
			require.NotEmpty(t, a.header.Get("Retry-After"))
		})
	}
}

func TestStreamsOfEventsAreHeldToTheirKey(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	client := ingestv1.NewIngestServiceClient(dial(t, b))
	send := func(stream ingestv1.IngestService_PublishStreamClient, id string) error {
		if err := stream.Send(&ingestv1.PublishStreamRequest{
			Batch: &ingestv1.PublishRequest{Events: []*eventv1.Event{usage(id)}},
		}); err != nil {
			return err
		}

		_, err := stream.Recv()

		return err
	}

	t.Run("in requests a second", func(t *testing.T) {
		t.Parallel()

		key := b.newKey(access.RoleIngest, settings.KeyLimits{Rate: 0.001, Burst: 2})
		stream, err := client.PublishStream(withKey(t, key))
		require.NoError(t, err)
		require.NoError(t, send(stream, "r1"))
		require.NoError(t, send(stream, "r2"))
		requireReason(t, send(stream, "r3"), codes.ResourceExhausted, "RATE_LIMITED")
	})

	t.Run("in bytes", func(t *testing.T) {
		t.Parallel()

		key := b.newKey(access.RoleIngest, settings.KeyLimits{MaxBytes: 100})
		stream, err := client.PublishStream(withKey(t, key))
		require.NoError(t, err)
		require.NoError(t, send(stream, "b1"))
		requireReason(t, send(stream, strings.Repeat("b", 100)), codes.ResourceExhausted, "REQUEST_TOO_LARGE")
	})

	t.Run("in time", func(t *testing.T) {
		t.Parallel()

		key := b.newKey(access.RoleIngest, settings.KeyLimits{})
		stream, err := client.PublishStream(withKey(t, key))
		require.NoError(t, err)
		require.NoError(t, send(stream, "t1"))
		require.NoError(t, b.settings.DeleteKey(t.Context(), access.Hash(key)))
		require.Eventually(t, func() bool { err = send(stream, "t2"); return err != nil }, patience, time.Millisecond)
		requireReason(t, err, codes.Unauthenticated, "KEY_ENDED")
	})
}
