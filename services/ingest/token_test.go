package ingest

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
)

func TestTokens(t *testing.T) {
	t.Parallel()

	var ahead atomic.Int64 // the clock of tokens

	first, issuer := newBundle(t, Config{}), oidctest.New(t)
	tokens, err := oidc.New(oidc.Config{
		Issuer: issuer.URL, Audience: oidctest.Audience, WorkspaceClaim: "workspace", Roles: oidctest.Roles(),
	}, oidc.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	require.NoError(t, err)

	// A second process, which also takes tokens.
	b := &bundle{t: t, log: first.log, rejects: first.rejects, directory: first.directory, settings: first.settings, deps: first.deps, ingest: first.ingest}
	ctx, cancel := context.WithCancel(context.Background())
	b.deps.Keyring, err = access.Open(ctx, b.settings, access.WithTokens(tokens))
	require.NoError(t, err)
	b.start(ctx, cancel, Config{})

	send := func(token, id string) *answerOf {
		return b.post("/v1/events", "", `[{"type":"usage","id":"`+id+`","account":"a","feature":"f"}]`,
			header("Authorization", "Bearer "+token))
	}

	// The issuer is away: tokens have to wait, keys do not.
	issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })

	a := send(issuer.For("w", access.RoleIngest), "o1")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, Code("oidc_unavailable"), a.Code)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, send(b.ingest, "k1").status)

	issuer.Answer(nil)
	ahead.Store(int64(time.Minute))

	a = send(issuer.For("w", access.RoleIngest), "o1")
	require.Equal(t, http.StatusOK, a.status, "%+v", a)
	require.NotNil(t, b.event("o1"))

	for name, c := range map[string]struct {
		token  string
		status int
		code   Code
	}{
		"a viewer":              {issuer.For("w", access.RoleViewer), http.StatusForbidden, CodeKeyWrongKind},
		"another issuer":        {oidctest.New(t).For("w", access.RoleAdmin), http.StatusUnauthorized, "oidc_token_invalid"},
		"no workspace":          {issuer.Token(issuer.Claims("", "ingests", nil)), http.StatusForbidden, "oidc_no_workspace"},
		"groups without a role": {issuer.Token(issuer.Claims("w", "staff", nil)), http.StatusForbidden, "oidc_no_role"},
	} {
		t.Run(name, func(t *testing.T) {
			a := send(c.token, "o2")
			require.Equal(t, c.status, a.status)
			require.Equal(t, c.code, a.Code)
			require.Nil(t, b.event("o2"))
		})
	}

	client := ingestv1.NewIngestServiceClient(dial(t, b))
	publish := func(token, id string) error {
		_, err := client.Publish(withKey(t, token), &ingestv1.PublishRequest{Events: []*eventv1.Event{usage(id)}})

		return err
	}

	require.NoError(t, publish(issuer.For("w", access.RoleAdmin), "o3"))
	require.NotNil(t, b.event("o3"))
	requireReason(t, publish(issuer.For("w", access.RoleOperator), "o4"), codes.PermissionDenied, "KEY_WRONG_KIND")
}
