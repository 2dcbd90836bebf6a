// Package oidctest is an issuer of tokens for tests.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access"
)

// Audience stands in the tokens that Claims makes.
const Audience = "hale"

// Issuer is an issuer on this machine. Its fields may be changed under its lock.
type Issuer struct {
	// URL is its name.
	URL string

	tb     testing.TB
	server *httptest.Server

	mu sync.Mutex
	// keys are told to who asks, the newest last; it signs.
	keys []jose.JSONWebKey
	// asked counts the requests for them.
	asked int
	// handler answers instead; nil: the issuer itself.
	handler http.HandlerFunc
}

// New starts an issuer with one key.
func New(tb testing.TB) *Issuer {
	tb.Helper()

	i := &Issuer{tb: tb}
	i.server = httptest.NewServer(http.HandlerFunc(i.serve))
	i.URL = i.server.URL
	tb.Cleanup(i.server.Close)
	i.Rotate()

	return i
}

// Rotate makes a new key, which signs from now on, and forgets all others.
func (i *Issuer) Rotate() {
	i.tb.Helper()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.tb, err)

	i.mu.Lock()
	defer i.mu.Unlock()

	i.keys = []jose.JSONWebKey{{Key: private, KeyID: rand.Text(), Algorithm: string(jose.ES256), Use: "sig"}}
}

// Key returns the key that signs.
func (i *Issuer) Key() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()

	return i.keys[len(i.keys)-1]
}

// Offer has the issuer tell of one more key, which signs.
func (i *Issuer) Offer(k jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()

	i.keys = append(i.keys, k)
}

// Answer has f answer instead of the issuer; nil: the issuer itself again.
func (i *Issuer) Answer(f http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()

	i.handler = f
}

// Asked is how often somebody asked for the keys.
func (i *Issuer) Asked() int {
	i.mu.Lock()
	defer i.mu.Unlock()

	return i.asked
}

// Claims are those of a good token for an hour, of a workspace and a group, with changes; nil takes a claim away.
func (i *Issuer) Claims(workspace, group string, changes map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": i.URL, "aud": Audience, "sub": "user-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"email": "ann@example.com", "email_verified": true, "workspace": workspace, "groups": []string{"staff", group},
	}

	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })

	return c
}

// Token signs claims with the issuer's key.
func (i *Issuer) Token(claims map[string]any) string {
	i.tb.Helper()

	k := i.Key()

	return Sign(i.tb, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k}, claims)
}

// For returns a good token of a workspace and a role, for who maps groups as Roles does.
func (i *Issuer) For(workspace string, r access.Role) string {
	i.tb.Helper()

	return i.Token(i.Claims(workspace, r.String()+"s", nil))
}

// Roles maps the groups of For.
func Roles() []string {
	return []string{"ingests=ingest", "viewers=viewer", "operators=operator", "admins=admin"}
}

// Sign signs claims with any key.
func Sign(tb testing.TB, key jose.SigningKey, claims map[string]any) string {
	tb.Helper()

	signer, err := jose.NewSigner(key, nil)
	require.NoError(tb, err)
	text, err := json.Marshal(claims)
	require.NoError(tb, err)
	signed, err := signer.Sign(text)
	require.NoError(tb, err)
	token, err := signed.CompactSerialize()
	require.NoError(tb, err)

	return token
}

// serve answers discovery, and the request for the keys.
func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	instead := i.handler
	i.mu.Unlock()

	if instead != nil {
		instead(w, r)

		return
	}

	i.mu.Lock()
	defer i.mu.Unlock()

	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+"/keys")
	case "/keys":
		i.asked++

		var keys []string

		for _, k := range i.keys {
			text, err := k.Public().MarshalJSON()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)

				return
			}

			keys = append(keys, string(text))
		}

		_, _ = fmt.Fprintf(w, `{"keys":[%s]}`, strings.Join(keys, ","))
	default:
		http.NotFound(w, r)
	}
}
