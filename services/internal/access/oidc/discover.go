package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	upstream "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// maxDocument bounds what the issuer answers, bytes.
const maxDocument = 1 << 20

var (
	errPlain  = errors.New("an address without TLS, on another machine")
	errStatus = errors.New("not OK")
)

// newClient returns a client that reads small documents, from where nobody can have changed them on the way. It keeps no
// connection: it is needed every few minutes at most.
func newClient() *http.Client {
	return &http.Client{Transport: guarded{&http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}}
}

// guarded refuses what is not safe to read: redirects, and the address of the keys, which the issuer gives, included.
type guarded struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !safe(r.URL) {
		return nil, fmt.Errorf("%w: %s", errPlain, r.URL.Redacted())
	}

	resp, err := g.base.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxDocument)
	}

	return resp, err //nolint:wrapcheck // http.Client wraps it
}

// ask reads the issuer's keys, from where the issuer says they are.
func ask(ctx context.Context, client *http.Client, issuer string) ([]jose.JSONWebKey, error) {
	provider, err := upstream.NewProvider(upstream.ClientContext(ctx, client), issuer)
	if err != nil {
		return nil, fmt.Errorf("finding out about the issuer: %w", err)
	}

	var document struct {
		Keys string `json:"jwks_uri"`
	}

	if err := provider.Claims(&document); err != nil {
		return nil, fmt.Errorf("finding the issuer's keys: %w", err)
	}

	r, err := http.NewRequestWithContext(ctx, http.MethodGet, document.Keys, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking for the issuer's keys: %w", err)
	}

	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking for the issuer's keys: %w", err)
	}

	defer func() { _ = resp.Body.Close() }()

	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for the issuer's keys: %w: %s", errStatus, resp.Status)
	}

	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the issuer's keys: %w", err)
	}

	return parseKeys(text)
}

// parseKeys reads a set of keys. Those of kinds that are not known, for other uses, or that are no public keys, are passed
// over.
func parseKeys(text []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}

	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("reading the issuer's keys: %w", err)
	}

	var keys []jose.JSONWebKey

	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil && key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key)
		}
	}

	return keys, nil
}
