package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/access/oidc/oidctest"
)

// BenchmarkRead measures what a token adds to a call, once the keys of the issuer are known.
func BenchmarkRead(b *testing.B) {
	there := oidctest.New(b)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)

	for name, key := range map[string]jose.JSONWebKey{
		"ES256": there.Key(), "RS256": {Key: private, KeyID: "rsa", Algorithm: "RS256", Use: "sig"},
	} {
		b.Run(name, func(b *testing.B) {
			there.Offer(key)

			here, err := oidc.New(configFor(there), oidc.Options{})
			require.NoError(b, err)

			token := there.Token(there.Claims("acme", "viewers", nil))

			for b.Loop() {
				if _, err := here.Read(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
