package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"hale.dev/services/internal/settings"
)

const (
	// keyBytes of randomness stand in each key.
	keyBytes = 32
	// keyPrefix and the role begin a key, so that people and secret scanners recognise it.
	keyPrefix = "hale_"
	// maxKey is the length, bytes, from which on a text cannot be a key.
	maxKey = 256
	// keyIDBytes of the hash name a key in logs.
	keyIDBytes = 6
)

// NewKey makes a random key of 256 bits for a role.
func NewKey(r Role) string {
	var b [keyBytes]byte

	_, _ = rand.Read(b[:]) // never fails: it ends the program instead

	return keyPrefix + r.String() + "_" + base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash returns what is stored of a key. A key is random and long, so a plain hash keeps it safe.
func Hash(key string) settings.KeyHash { return sha256.Sum256([]byte(key)) }

// KeyID names a key in logs and for those who manage keys.
func KeyID(h settings.KeyHash) string { return hex.EncodeToString(h[:keyIDBytes]) }
