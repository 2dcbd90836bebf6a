package access_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
)

func TestTokens(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	key, c, issuer := addKey(t, s, "w", access.RoleViewer), &clock{}, oidctest.New(t)

	tokens, err := oidc.New(oidc.Config{
		Issuer: issuer.URL, Audience: oidctest.Audience, WorkspaceClaim: "workspace", Roles: oidctest.Roles(),
	}, oidc.Options{Now: c.now})
	require.NoError(t, err)

	keys, err := access.Open(t.Context(), s, access.WithClock(c.now), access.WithTokens(tokens),
		access.WithLimits(access.Limits{Rate: 1, Burst: 2, MaxBytes: 100}))
	require.NoError(t, err)

	of := func(subject, group string) string {
		return issuer.Token(issuer.Claims("acme", group, map[string]any{"sub": subject}))
	}

	// The issuer is away: keys do not mind.
	issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })

	_, err = authenticate(t, keys, of("ann", "viewers"))
	requireRefused(t, err, codes.Unavailable, "OIDC_UNAVAILABLE")

	p, err := authenticate(t, keys, key)
	require.NoError(t, err)
	require.Equal(t, "w", p.Workspace)

	issuer.Answer(nil)
	c.advance(time.Minute)

	t.Run("a token opens its workspace, in its role", func(t *testing.T) {
		p, err := authorize(t, keys, of("bob", "operators"), access.RoleOperator)
		require.NoError(t, err)
		require.Equal(t, access.Principal{
			Workspace: "acme", Role: access.RoleOperator, KeyID: "ann@example.com", MaxBytes: 100,
		}, p)

		_, err = authorize(t, keys, of("bob", "operators"), access.RoleAdmin)
		require.ErrorIs(t, err, access.ErrWrongKind)
	})

	t.Run("what concerns all workspaces is for the first one's admins", func(t *testing.T) {
		need := access.Need{Roles: []access.Role{access.RoleAdmin}, Installation: true}

		_, err := keys.Admit(t.Context(), of("carol", "admins"), 0, need)
		require.ErrorIs(t, err, access.ErrInstallation)

		_, err = keys.Admit(t.Context(), issuer.For(access.DefaultWorkspace, access.RoleAdmin), 0, need)
		require.NoError(t, err)

		_, err = keys.Admit(t.Context(), issuer.For(access.DefaultWorkspace, access.RoleOperator), 0, need)
		require.ErrorIs(t, err, access.ErrWrongKind)
	})

	t.Run("each holder has limits of its own", func(t *testing.T) {
		var limit *access.LimitError

		_, err := keys.Admit(t.Context(), of("dan", "viewers"), 101, access.Any(access.RoleViewer))
		require.ErrorAs(t, err, &limit)
		require.Equal(t, "REQUEST_TOO_LARGE", limit.Reason)

		for range 2 {
			_, err = authenticate(t, keys, of("dan", "viewers"))
			require.NoError(t, err)
		}

		_, err = authenticate(t, keys, of("dan", "viewers"))
		require.ErrorAs(t, err, &limit)
		require.Equal(t, "RATE_LIMITED", limit.Reason)

		_, err = authenticate(t, keys, of("eve", "viewers"))
		require.NoError(t, err)

		c.advance(time.Minute)

		_, err = authenticate(t, keys, of("dan", "viewers"))
		require.NoError(t, err)
	})

	t.Run("a text longer than any token is not even read", func(t *testing.T) {
		_, err := authenticate(t, keys, "a.b."+strings.Repeat("c", 16<<10))
		require.ErrorIs(t, err, access.ErrUnknownKey)
	})
}

func TestWithoutAnIssuerATokenIsAKeyThatNobodyKnows(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	keys, err := access.Open(t.Context(), s)
	require.NoError(t, err)

	_, err = authenticate(t, keys, oidctest.New(t).For("w", access.RoleAdmin))
	require.ErrorIs(t, err, access.ErrUnknownKey)
}
