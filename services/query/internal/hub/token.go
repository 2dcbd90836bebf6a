package hub

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"hale.dev/services/internal/wire"
)

// ErrToken is returned for a text that is no token, or one of another watch.
var ErrToken = errors.New("hub: not a token of this watch")

const (
	// tokenVersion begins every token.
	tokenVersion = 1
	// identityLen and rulesLen are how much is kept of the hashes.
	identityLen, rulesLen = 12, 8
	// maxPartitions bounds what a token is believed to hold.
	maxPartitions = 1 << 16
)

// Identity says which watch a token belongs to.
type Identity struct {
	watch [identityLen]byte
	rules [rulesLen]byte
}

// NewIdentity makes the identity of a watch: of what it is (installation, workspace, filter), which must be the same
// again, and of the rules by which its filter goes (the segments it names), which may change: then a resumed watch
// begins anew.
func NewIdentity(watch, rules []string) Identity {
	var id Identity

	copy(id.watch[:], digest(watch))
	copy(id.rules[:], digest(rules))

	return id
}

// digest is a hash of texts.
func digest(texts []string) []byte {
	var b []byte
	for _, t := range texts {
		b = wire.Append(b, t)
	}

	sum := sha256.Sum256(b)

	return sum[:]
}

// Token is what a watcher had seen.
type Token struct {
	positions []Position
	// sameRules is false if the filter's segments were others then.
	sameRules bool
}

// Token returns the token of a watch that has seen everything up to the point.
func (p *Point) Token(id Identity) string {
	body := p.body()
	b := make([]byte, 0, 1+identityLen+rulesLen+len(body))
	b = append(b, tokenVersion)
	b = append(b, id.watch[:]...)
	b = append(b, id.rules[:]...)

	return base64.RawURLEncoding.EncodeToString(append(b, body...))
}

// appendPositions writes positions: how many, and of each what generation and epoch are, if it is known, and its place.
func appendPositions(b []byte, all []Position) []byte {
	b = binary.AppendUvarint(b, uint64(len(all)))

	for _, p := range all {
		if !p.Known {
			b = append(b, 0)

			continue
		}

		b = append(b, 1)
		b = binary.AppendUvarint(b, p.Generation)
		b = binary.AppendUvarint(b, p.Epoch)
		b = binary.AppendUvarint(b, p.Cursor)
		b = binary.AppendUvarint(b, p.Revision)
	}

	return b
}

// ParseToken reads a token of that watch. Its error is ErrToken.
func ParseToken(id Identity, text string) (*Token, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrToken
	}

	r := wire.NewReader(b)
	if r.Byte() != tokenVersion || [identityLen]byte(padded(r.Take(identityLen), identityLen)) != id.watch {
		return nil, ErrToken
	}

	t := &Token{sameRules: [rulesLen]byte(padded(r.Take(rulesLen), rulesLen)) == id.rules}

	n := r.Count()
	if n > maxPartitions {
		return nil, ErrToken
	}

	for range n {
		var p Position

		switch r.Byte() {
		case 0:
		case 1:
			p.Known = true
			p.Generation, p.Epoch = r.Uvarint(), r.Uvarint()
			p.Cursor, p.Revision = r.Uvarint(), r.Uvarint()
		default:
			return nil, ErrToken
		}

		t.positions = append(t.positions, p)
	}

	if !r.Done() {
		return nil, ErrToken
	}

	return t, nil
}

// padded makes what could not be read as long as if it had been there.
func padded(b []byte, n int) []byte {
	if len(b) == n {
		return b
	}

	return make([]byte, n)
}
