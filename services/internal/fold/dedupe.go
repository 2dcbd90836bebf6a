package fold

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"hale.dev/services/internal/wire"
)

// ErrDedupeFull says that no more message ids can be remembered. The partition must stop rather than
// forget early.
var ErrDedupeFull = errors.New("fold: dedupe memory is full")

// fingerprint stands for a message id of an account: 128 bits, so that two ids never meet by chance.
type fingerprint [2]uint64

// fingerprintLen is how many bytes one takes.
const fingerprintLen = 16

func fingerprintOf(account, messageID string) fingerprint {
	var room [640]byte
	b := wire.Append(room[:0], account)
	b = append(b, messageID...)
	s := xxh3.Hash128(b)
	return fingerprint{s.Hi, s.Lo}
}

// dedupe remembers when, in log time, each message id was counted.
type dedupe struct {
	seen map[fingerprint]int64
	max  int
}

// known reports whether the id was counted within the time that ids are kept.
func (d *dedupe) known(f fingerprint, now int64) bool {
	at, ok := d.seen[f]
	return ok && now-at <= remembered
}

// forget drops the ids that are older than what is kept.
func (d *dedupe) forget(now int64) {
	for f, at := range d.seen {
		if now-at > remembered {
			delete(d.seen, f)
		}
	}
}

// A run is the stored form of the ids of one message: log time, how many, then 16 bytes each.

func appendRun(b []byte, at int64, ids []fingerprint) []byte {
	b = binary.AppendUvarint(b, uint64(at)) //nolint:gosec // log time is never negative
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for _, f := range ids {
		b = binary.BigEndian.AppendUint64(b, f[0])
		b = binary.BigEndian.AppendUint64(b, f[1])
	}
	return b
}

func (d *dedupe) load(b []byte) error {
	r := wire.NewReader(b)
	for r.Len() > 0 {
		at, n := int64(r.Uvarint()), r.Uvarint()           //nolint:gosec // written from log time
		if r.Bad() || n > uint64(r.Len())/fingerprintLen { //nolint:gosec // a length
			return fmt.Errorf("reading remembered message ids: %w", ErrState)
		}
		for ids := r.Take(n * fingerprintLen); len(ids) > 0; ids = ids[fingerprintLen:] {
			f := fingerprint{binary.BigEndian.Uint64(ids), binary.BigEndian.Uint64(ids[8:])}
			d.seen[f] = at
		}
	}
	return nil
}
