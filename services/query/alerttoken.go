package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/grpc/codes"

	"hale.dev/services/internal/wire"
)

const (
	// alertToken begins every token of a watch of alerts.
	alertToken = 4
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

// format makes a token: version, identity, and the sequence up to which the watcher knows everything.
func (i alertIdentity) format(sequence uint64) string {
	b := append([]byte{alertToken}, i...)

	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint(b, sequence))
}

// parse undoes format for a token of the same watch.
func (i alertIdentity) parse(text string) (uint64, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	r := wire.NewReader(b)
	version, identity, sequence := r.Byte(), r.Take(identityBytes), r.Uvarint()

	if err != nil || !r.Done() || version != alertToken || !bytes.Equal(identity, i) {
		return 0, &Error{
			Code: codes.InvalidArgument, Reason: reasonToken, cause: err,
			Message: "resume_token: it is malformed, or of a watch with another filter, workspace or installation",
		}
	}

	return sequence, nil
}
