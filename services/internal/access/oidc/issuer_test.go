package oidc_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
)

// clock is a clock that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }
func (c *clock) options() oidc.Options   { return oidc.Options{Now: c.now} }
func configFor(i *oidctest.Issuer) oidc.Config {
	return oidc.Config{Issuer: i.URL, Audience: oidctest.Audience, WorkspaceClaim: "workspace", Roles: oidctest.Roles()}
}

// newIssuer starts an issuer, and what reads its tokens.
func newIssuer(t *testing.T, changes ...func(*oidc.Config)) (*oidctest.Issuer, *oidc.Issuer, *clock) {
	t.Helper()

	there, c := oidctest.New(t), &clock{}
	cfg := configFor(there)

	for _, change := range changes {
		change(&cfg)
	}

	here, err := oidc.New(cfg, c.options())
	require.NoError(t, err)

	return there, here, c
}

// requireRefused checks code and reason of a refusal.
func requireRefused(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()

	var refusal *access.Error

	require.ErrorAs(t, err, &refusal)
	require.Equal(t, reason, refusal.Reason)
	require.Equal(t, code, refusal.Code)
	require.NotEmpty(t, refusal.Message)
}

func TestRead(t *testing.T) {
	t.Parallel()

	there, here, _ := newIssuer(t)

	got, err := here.Read(t.Context(), there.Token(there.Claims("acme", "viewers", map[string]any{"name": "Ann"})))
	require.NoError(t, err)
	require.Equal(t, access.Principal{Workspace: "acme", Role: access.RoleViewer, KeyID: "ann@example.com", Name: "Ann"}, got.Principal)
	require.Equal(t, "user-1", got.Subject)
	require.WithinDuration(t, time.Now().Add(time.Hour+30*time.Second), got.Expires, time.Minute/2)

	for name, c := range map[string]struct {
		changes map[string]any
		keyID   string
	}{
		"an address that the issuer has not verified":   {map[string]any{"email_verified": false}, "oidc:user-1"},
		"an address said to be verified in other words": {map[string]any{"email_verified": "true"}, "oidc:user-1"},
		"no address":                                {map[string]any{"email": nil}, "oidc:user-1"},
		"an address that would break a line":        {map[string]any{"email": "a@b\n"}, "oidc:user-1"},
		"a subject that looks like a key's id":      {map[string]any{"email": nil, "sub": "a538080125c5"}, "oidc:a538080125c5"},
		"an audience among others":                  {map[string]any{"aud": []string{"x", oidctest.Audience}}, "ann@example.com"},
		"an end within what clocks may differ":      {map[string]any{"exp": time.Now().Add(-10 * time.Second).Unix()}, "ann@example.com"},
		"a beginning within what clocks may differ": {map[string]any{"nbf": time.Now().Add(10 * time.Second).Unix()}, "ann@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := here.Read(t.Context(), there.Token(there.Claims("acme", "viewers", c.changes)))
			require.NoError(t, err)
			require.Equal(t, c.keyID, got.KeyID)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()

	there, here, _ := newIssuer(t)
	hour := time.Hour

	for name, c := range map[string]struct {
		changes map[string]any
		code    codes.Code
		reason  string
	}{
		"another issuer":                {map[string]any{"iss": "https://else.example.com"}, codes.Unauthenticated, "OIDC_WRONG_ISSUER"},
		"no issuer":                     {map[string]any{"iss": nil}, codes.Unauthenticated, "OIDC_WRONG_ISSUER"},
		"another audience":              {map[string]any{"aud": "grafana"}, codes.Unauthenticated, "OIDC_WRONG_AUDIENCE"},
		"no audience":                   {map[string]any{"aud": nil}, codes.Unauthenticated, "OIDC_WRONG_AUDIENCE"},
		"a token that has expired":      {map[string]any{"exp": time.Now().Add(-hour).Unix()}, codes.Unauthenticated, "OIDC_TOKEN_EXPIRED"},
		"a token that never ends":       {map[string]any{"exp": nil}, codes.Unauthenticated, "OIDC_TOKEN_EXPIRED"},
		"a token that is not valid yet": {map[string]any{"nbf": time.Now().Add(hour).Unix()}, codes.Unauthenticated, "OIDC_TOKEN_EARLY"},
		"no subject":                    {map[string]any{"sub": nil}, codes.Unauthenticated, "OIDC_TOKEN_INVALID"},
		"a subject longer than may be":  {map[string]any{"sub": strings.Repeat("x", 256)}, codes.Unauthenticated, "OIDC_TOKEN_INVALID"},
		"a subject that breaks a line":  {map[string]any{"sub": "a\nb"}, codes.Unauthenticated, "OIDC_TOKEN_INVALID"},
		"claims of the wrong type":      {map[string]any{"exp": "tomorrow"}, codes.Unauthenticated, "OIDC_TOKEN_INVALID"},
		"no workspace":                  {map[string]any{"workspace": nil}, codes.PermissionDenied, "OIDC_NO_WORKSPACE"},
		"a workspace that none can be":  {map[string]any{"workspace": "a.b"}, codes.PermissionDenied, "OIDC_NO_WORKSPACE"},
		"several workspaces":            {map[string]any{"workspace": []string{"a", "b"}}, codes.PermissionDenied, "OIDC_NO_WORKSPACE"},
		"groups that have no role":      {map[string]any{"groups": []string{"staff", "admin"}}, codes.PermissionDenied, "OIDC_NO_ROLE"},
		"no groups":                     {map[string]any{"groups": nil}, codes.PermissionDenied, "OIDC_NO_ROLE"},
		"groups that are no texts":      {map[string]any{"groups": []any{1, nil}}, codes.PermissionDenied, "OIDC_NO_ROLE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := here.Read(t.Context(), there.Token(there.Claims("acme", "viewers", c.changes)))
			requireRefused(t, err, c.code, c.reason)
		})
	}
}

// unsigned is a token with the algorithm none.
func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()

	text, err := json.Marshal(claims)
	require.NoError(t, err)

	encode := base64.RawURLEncoding.EncodeToString

	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(text) + "."
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()

	there, here, _ := newIssuer(t)
	claims := there.Claims("acme", "admins", nil)
	good, stranger := there.Token(claims), oidctest.New(t)

	// The public key is known to everybody: whoever takes it for a secret is fooled.
	key := there.Key()
	public, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	require.NoError(t, err)

	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	parts := strings.Split(good, ".")
	changed := there.Claims("other", "admins", nil)
	text, err := json.Marshal(changed)
	require.NoError(t, err)

	same := stranger.Key()
	same.KeyID = there.Key().KeyID

	for name, token := range map[string]string{
		"an algorithm that proves nothing":      unsigned(t, claims),
		"the public key as a secret":            oidctest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: there.Key().KeyID}}, claims),
		"the key of somebody else":              oidctest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: stranger.Key()}, claims),
		"the key of somebody else, by the name": oidctest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: same}, claims),
		"claims that were changed":              parts[0] + "." + base64.RawURLEncoding.EncodeToString(text) + "." + parts[2],
		"a signature cut short":                 good[:len(good)-4],
		"no token at all":                       "a.b.c",
		"nothing between the dots":              "..",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := here.Read(t.Context(), token)
			requireRefused(t, err, codes.Unauthenticated, "OIDC_TOKEN_INVALID")
		})
	}

	_, err = here.Read(t.Context(), good)
	require.NoError(t, err)
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()

	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)

	there, here, c := newIssuer(t, func(cfg *oidc.Config) { cfg.Algorithms = []string{"RS256", "EdDSA"} })
	claims := there.Claims("acme", "viewers", nil)

	_, err = here.Read(t.Context(), there.Token(claims))
	requireRefused(t, err, codes.Unauthenticated, "OIDC_TOKEN_INVALID") // ES256 is good, but not on the list

	there.Offer(jose.JSONWebKey{Key: edKey, KeyID: "ed", Algorithm: "EdDSA"})
	_, err = here.Read(t.Context(), there.Token(claims))
	require.NoError(t, err)

	there.Offer(jose.JSONWebKey{Key: rsaKey, KeyID: "rsa", Algorithm: "RS256"})
	c.advance(time.Minute)

	_, err = here.Read(t.Context(), there.Token(claims))
	require.NoError(t, err)

	ps := oidctest.Sign(t, jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: rsaKey, KeyID: "rsa"}}, claims)
	_, err = here.Read(t.Context(), ps)
	requireRefused(t, err, codes.Unauthenticated, "OIDC_TOKEN_INVALID")

	anyName := oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: rsaKey}, claims)
	_, err = here.Read(t.Context(), anyName)
	require.NoError(t, err, "a token need not name its key")
}

func TestRotation(t *testing.T) {
	t.Parallel()

	there, here, c := newIssuer(t)
	claims := there.Claims("acme", "viewers", nil)
	old := there.Token(claims)

	_, err := here.Read(t.Context(), old)
	require.NoError(t, err)
	require.Equal(t, 1, there.Asked())

	there.Rotate()

	// The issuer is not asked again at once, however many tokens come whose key is not known.
	for range 100 {
		_, err = here.Read(t.Context(), there.Token(claims))
		requireRefused(t, err, codes.Unauthenticated, "OIDC_TOKEN_INVALID")
	}

	require.Equal(t, 1, there.Asked())

	c.advance(6 * time.Second)

	_, err = here.Read(t.Context(), there.Token(claims))
	require.NoError(t, err)
	require.Equal(t, 2, there.Asked())

	_, err = here.Read(t.Context(), old)
	requireRefused(t, err, codes.Unauthenticated, "OIDC_TOKEN_INVALID")
}

func TestAKeyThatIsTakenAwayIsForgotten(t *testing.T) {
	t.Parallel()

	there, here, c := newIssuer(t)
	old := there.Token(there.Claims("acme", "viewers", nil))

	_, err := here.Read(t.Context(), old)
	require.NoError(t, err)

	there.Rotate()
	c.advance(11 * time.Minute)

	require.Eventually(t, func() bool {
		_, err := here.Read(t.Context(), old)

		return err != nil
	}, time.Minute, time.Millisecond)
}

func TestAnIssuerThatIsAway(t *testing.T) {
	t.Parallel()

	there, here, c := newIssuer(t)
	token := there.Token(there.Claims("acme", "viewers", nil))

	answers := map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"nonsense": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"another issuer's": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://x","jwks_uri":"https://x/k"}`))
		},
		"keys without TLS": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + there.URL + `","jwks_uri":"http://192.0.2.1/k"}`))
		},
		"no address of the keys": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"issuer":"` + there.URL + `"}`)) },
		"somewhere without TLS": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"more than is read": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/keys" {
				_, _ = w.Write([]byte(`{"issuer":"` + there.URL + `","jwks_uri":"` + there.URL + `/keys"}`))

				return
			}

			_, _ = w.Write([]byte(`{"keys":[` + strings.Repeat(" ", 2<<20) + `]}`))
		},
		"an error for the keys": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				w.WriteHeader(http.StatusNotFound)

				return
			}

			_, _ = w.Write([]byte(`{"issuer":"` + there.URL + `","jwks_uri":"` + there.URL + `/keys"}`))
		},
	}

	for name, f := range answers {
		there.Answer(f)
		c.advance(6 * time.Second)

		_, err := here.Read(t.Context(), token)
		requireRefused(t, err, codes.Unavailable, "OIDC_UNAVAILABLE")
		require.Zero(t, there.Asked(), name)
	}

	there.Answer(nil)
	c.advance(6 * time.Second)

	_, err := here.Read(t.Context(), token)
	require.NoError(t, err)

	// Once it has told its keys, it may go away.
	there.Answer(answers["an error"])
	c.advance(11 * time.Minute)

	for range 10 {
		_, err = here.Read(t.Context(), token)
		require.NoError(t, err)
	}
}

func TestNobodyWaitsLongerThanTheyWant(t *testing.T) {
	t.Parallel()

	there, here, _ := newIssuer(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	there.Answer(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-answer
	})

	ctx, cancel := context.WithCancel(t.Context())

	go func() {
		<-asked
		cancel()
	}()

	_, err := here.Read(ctx, there.Token(there.Claims("acme", "viewers", nil)))
	require.ErrorIs(t, err, context.Canceled)
	close(answer)
}

func TestWhereClaimsStand(t *testing.T) {
	t.Parallel()

	read := func(changes map[string]any, change func(*oidc.Config)) (access.Token, error) {
		there, here, _ := newIssuer(t, change)

		return here.Read(t.Context(), there.Token(there.Claims("acme", "viewers", changes)))
	}

	got, err := read(nil, func(c *oidc.Config) { c.WorkspaceClaim, c.Workspace = "", "fixed" })
	require.NoError(t, err)
	require.Equal(t, "fixed", got.Workspace)

	got, err = read(map[string]any{"https://hale.example/role": "boss"}, func(c *oidc.Config) {
		c.RoleClaim, c.Roles = "https://hale.example/role", []string{"boss=operator"}
	})
	require.NoError(t, err)
	require.Equal(t, access.RoleOperator, got.Role)

	nested := map[string]any{"realm_access": map[string]any{"roles": []string{"viewers", "admins", "ingests"}}}
	got, err = read(nested, func(c *oidc.Config) { c.RoleClaim = "/realm_access/roles" })
	require.NoError(t, err)
	require.Equal(t, access.RoleAdmin, got.Role, "the most that any value gives")

	_, err = read(map[string]any{"realm_access": "x"}, func(c *oidc.Config) { c.RoleClaim = "/realm_access/roles" })
	requireRefused(t, err, codes.PermissionDenied, "OIDC_NO_ROLE")

	got, err = read(map[string]any{"groups": "cn=care,ou=groups"}, func(c *oidc.Config) { c.Roles = []string{"cn=care,ou=groups=operator"} })
	require.NoError(t, err)
	require.Equal(t, access.RoleOperator, got.Role)
}
