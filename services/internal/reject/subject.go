package reject

import (
	"crypto/sha256"
	"encoding/hex"
)

// Names in JetStream. They are built here only.
const (
	streamName    = "REJECTS"
	subjectPrefix = "rejects."
	emptyToken    = "-"
	anyToken      = "*"
	// maxToken is the longest token that stands for itself.
	maxToken = 64
	// hashBytes of a token's SHA-256 stand for a token that is not safe.
	hashBytes = 16
)

// subject of an entry: rejects.<workspace>.<code>.<key>.<id>. Put again under the same one it counts as present.
func subject(r *Reject) string {
	return subjectPrefix + token(r.Workspace) + "." + token(r.Code) + "." + token(r.Key) + "." + token(r.ID)
}

// filter matches the entries of a workspace; an empty code means any.
func filter(workspace, code string) string {
	codes := anyToken
	if code != "" {
		codes = token(code)
	}

	return subjectPrefix + token(workspace) + "." + codes + ".*.*"
}

// keyFilter matches the entries of a workspace with a code and a key.
func keyFilter(workspace, code, key string) string {
	return subjectPrefix + token(workspace) + "." + token(code) + "." + token(key) + ".*"
}

// token makes one token of a subject of any string: a short one of letters, digits, - and _ stands for itself, any
// other is hashed. Hashes begin with ~, and - alone means the empty string, so no two strings share a token.
func token(s string) string {
	if s == "" {
		return emptyToken
	}

	safe := s != emptyToken && len(s) <= maxToken

	for i := 0; safe && i < len(s); i++ {
		c := s[i]
		safe = c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	}

	if safe {
		return s
	}

	sum := sha256.Sum256([]byte(s))

	return "~" + hex.EncodeToString(sum[:hashBytes])
}
