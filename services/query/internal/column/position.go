package column

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"hale.dev/services/internal/wire"
)

// ErrPosition is returned for a text that String cannot have made, or made for another order.
var ErrPosition = errors.New("column: not a position in this order")

// Position is a place in an order: behind an account as it was when its page was read. It stays good while
// accounts come, go and change, so a walk shows every account whose place did not change exactly once.
type Position struct { //nolint:recvcheck // a value, but while it is read
	order Order
	row   Row
}

// positionVersion begins every position.
const positionVersion = 1

// After returns the position behind the row.
func After(o Order, r *Row) Position { return Position{order: o, row: *r} }

// Bits of a position's second byte, above the field.
const (
	bitDesc  = 0x80
	bitKnown = 0x40
)

// String returns the position in an opaque form.
func (p Position) String() string {
	var (
		r    = &p.row
		head = byte(p.order.By)
		key  []byte
	)

	if p.order.Desc {
		head |= bitDesc
	}

	switch p.order.By {
	case ByScore:
		if r.ScoreKnown {
			head, key = head|bitKnown, binary.AppendVarint(nil, r.Score)
		}
	case ByName:
		if r.Name != "" {
			head, key = head|bitKnown, wire.Append(nil, r.Name)
		}
	case ByARR:
		if r.ARRKnown {
			head, key = head|bitKnown, binary.AppendVarint(nil, r.ARR)
		}
	case ByAccount:
		head |= bitKnown
	case fieldCount:
	}

	b := append([]byte{positionVersion, head}, key...)

	return base64.RawURLEncoding.EncodeToString(append(b, r.Account...))
}

// ParsePosition undoes String for a position in that order. Its error is ErrPosition.
func ParsePosition(o Order, s string) (Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 3 || b[0] != positionVersion {
		return Position{}, ErrPosition
	}

	head, b := b[1], b[2:]
	if (Order{By: Field(head &^ (bitDesc | bitKnown)), Desc: head&bitDesc != 0}) != o {
		return Position{}, ErrPosition
	}

	p := Position{order: o}

	if head&bitKnown != 0 {
		if b = p.readKey(b); b == nil {
			return Position{}, ErrPosition
		}
	}

	if len(b) == 0 {
		return Position{}, ErrPosition
	}

	p.row.Account = string(b)

	return p, nil
}

// readKey reads the value that the order goes by and returns what is behind it; nil: it is not there.
func (p *Position) readKey(b []byte) []byte {
	switch p.order.By {
	case ByScore, ByARR:
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil
		}

		p.row.Score, p.row.ScoreKnown = v, true
		p.row.ARR, p.row.ARRKnown = v, true

		return b[n:]
	case ByName:
		name, rest, ok := wire.Cut(b)
		if !ok || len(name) == 0 {
			return nil
		}

		p.row.Name = string(name)

		return rest
	case ByAccount, fieldCount:
	}

	return b
}
