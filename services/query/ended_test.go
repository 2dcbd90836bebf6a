package query_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc/oidctest"
	"hale.dev/services/internal/task"
)

// endOf reads a stream until it ends, and returns how.
func endOf[M any](stream interface{ Recv() (M, error) }) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
}

func TestStreamsEndWithTheirKey(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))

	// Nobody owns the streams, so the task goes on for as long as this test.
	id, err := w.tasks.Ask(t.Context(), task.Task{Kind: task.Rebuild, Partition: -1}, 0)
	require.NoError(t, err)

	key := w.newKey(home, access.RoleAdmin)
	w.opens(key, codes.OK)

	as := withKey(t.Context(), key)
	watch, err := w.health().WatchHealth(as, &healthv1.WatchHealthRequest{Snapshot: true})
	require.NoError(t, err)
	tail, err := w.admin().TailEvents(as, &adminv1.TailEventsRequest{})
	require.NoError(t, err)
	tasks, err := w.admin().WatchTasks(as, &adminv1.WatchTasksRequest{TaskId: id})
	require.NoError(t, err)

	// All are under way.
	for told := 0; told == 0; {
		got, err := watch.Recv()
		require.NoError(t, err)

		told = len(got.GetChanges())
	}

	_, err = tasks.Recv()
	require.NoError(t, err)

	_, err = w.admin().RevokeKey(w.as(access.RoleAdmin), &adminv1.RevokeKeyRequest{KeyId: access.KeyID(access.Hash(key))})
	require.NoError(t, err)

	ended := endOf(watch)
	requireError(t, ended, codes.Unauthenticated, "KEY_ENDED")
	requireError(t, endOf(tasks), codes.Unauthenticated, "KEY_ENDED")
	requireError(t, endOf(tail), codes.Unauthenticated, "KEY_ENDED")

	// The watch goes on under another key.
	again, err := w.health().WatchHealth(w.as(access.RoleViewer), &healthv1.WatchHealthRequest{ResumeToken: resumeTokenOf(ended)})
	require.NoError(t, err)
	next, err := again.Recv()
	require.NoError(t, err)
	require.False(t, next.GetReset_())
	require.Empty(t, next.GetChanges(), "nothing was missed")
}

func TestAWatchEndsWithItsToken(t *testing.T) {
	t.Parallel()

	issuer := oidctest.New(t)
	w := start(t, openMemory(t), withTokens(t, issuer))

	// What clocks may differ by comes on top: 30 s.
	token := issuer.Token(issuer.Claims(home, "viewers", map[string]any{"exp": time.Now().Add(-28 * time.Second).Unix()}))
	watch, err := w.health().WatchHealth(withKey(t.Context(), token), &healthv1.WatchHealthRequest{Snapshot: true})
	require.NoError(t, err)
	requireError(t, endOf(watch), codes.Unauthenticated, "OIDC_TOKEN_EXPIRED")
}

func TestTokensOverHTTP(t *testing.T) {
	t.Parallel()

	issuer := oidctest.New(t)
	w := start(t, openMemory(t), withTokens(t, issuer))
	w.score(home, "acme", noon(), 0, used("acme"))

	for token, want := range map[string]int{
		issuer.For(home, access.RoleViewer):                    200,
		issuer.For("abroad", access.RoleViewer):                404,
		issuer.For(home, access.RoleIngest):                    403,
		oidctest.New(t).For(home, access.RoleAdmin):            401,
		issuer.Token(issuer.Claims(home, "nobody", nil)):       403,
		issuer.Token(issuer.Claims("no such", "viewers", nil)): 403,
	} {
		resp, body := w.post("/hale.health.v1.HealthService/GetHealth", "application/json", token, []byte(`{"account_id":"acme"}`))
		require.Equal(t, want, resp.StatusCode, string(body))
	}
}
