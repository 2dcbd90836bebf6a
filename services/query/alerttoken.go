package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/wire"
	"hale.dev/services/query/internal/board"
)

const (
	// alertToken begins every token of a watch of alerts.
	alertToken = 5
	// identityBytes are kept of the hash of what a watch is.
	identityBytes = 12
)

// alertIdentity says which watch a token belongs to: of which installation, workspace and filter.
type alertIdentity []byte

func newAlertIdentity(texts ...string) alertIdentity {
	var b []byte
	for _, t := range texts {
		b = wire.Append(b, t)
	}

	sum := sha256.Sum256(b)

	return sum[:identityBytes]
}

// format makes a token: version, identity, and the place up to which the watcher knows everything: its stream, sequence
// and time.
func (i alertIdentity) format(p board.Place) string {
	b := append([]byte{alertToken}, i...)
	b = binary.AppendVarint(b, p.Stream)
	b = binary.AppendUvarint(b, p.Sequence)

	return base64.RawURLEncoding.EncodeToString(binary.AppendVarint(b, p.Time))
}

// parse undoes format for a token of the same watch.
func (i alertIdentity) parse(text string) (board.Place, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	r := wire.NewReader(b)
	version, identity := r.Byte(), r.Take(identityBytes)
	place := board.Place{Stream: r.Varint(), Sequence: r.Uvarint(), Time: r.Varint()}

	if err != nil || !r.Done() || version != alertToken || !bytes.Equal(identity, i) {
		return board.Place{}, &Error{
			Code: codes.InvalidArgument, Reason: reasonToken, cause: err,
			Message: "resume_token: it is malformed, or of a watch with another filter, workspace or installation",
		}
	}

	return place, nil
}
