package column

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"strings"

	"hale.dev/services/internal/wire"
)

// ErrPosition is returned for a text that String cannot have made, or made for another list.
var ErrPosition = errors.New("column: not a position in this list")

// Position is a place in a list: behind an account as it was when its page was read. It stays good while accounts come,
// go and change, so a walk shows every account whose place did not change exactly once.
type Position struct {
	list    uint64
	values  []value
	account string
}

// positionVersion begins every position.
const positionVersion = 2

// After returns the position behind the row in the list of a filter in an order.
func After(f *Filter, o Order, r *Row) Position {
	p := Position{list: list(f, o), account: r.Account, values: make([]value, len(o.keys))}
	for i := range o.keys {
		p.values[i] = o.keys[i].value(r)
	}

	return p
}

// list tells lists apart.
func list(f *Filter, o Order) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(wire.Append(wire.Append(nil, f.String()), o.text)) // never fails

	return h.Sum64()
}

// behind says whether a row comes after the position.
func (o Order) behind(p *Position, r *Row) bool {
	for i := range o.keys {
		if c := o.keys[i].compare(o.keys[i].value(r), p.values[i]); c != 0 {
			return c > 0
		}
	}

	return strings.Compare(r.Account, p.account) > 0
}

// String returns the position in an opaque form.
func (p Position) String() string {
	b := binary.BigEndian.AppendUint64([]byte{positionVersion}, p.list)

	for _, v := range p.values {
		switch {
		case !v.known:
			b = append(b, 0)
		case v.text != "":
			b = wire.Append(append(b, 1), v.text)
		default:
			b = binary.AppendVarint(append(b, 1), int64(v.number))
		}
	}

	return base64.RawURLEncoding.EncodeToString(append(b, p.account...))
}

// ParsePosition undoes String for a position in that list. Its error is ErrPosition.
func ParsePosition(f *Filter, o Order, text string) (Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 9 || b[0] != positionVersion {
		return Position{}, ErrPosition
	}

	p := Position{list: binary.BigEndian.Uint64(b[1:])}
	if p.list != list(f, o) {
		return Position{}, ErrPosition
	}

	b = b[9:]

	for i := range o.keys {
		v, rest, ok := o.keys[i].read(b)
		if !ok {
			return Position{}, ErrPosition
		}

		p.values, b = append(p.values, v), rest
	}

	if len(b) == 0 {
		return Position{}, ErrPosition
	}

	p.account = string(b)

	return p, nil
}

// read reads a value of the key, and returns what is behind it.
func (k *orderKey) read(b []byte) (v value, rest []byte, ok bool) {
	if len(b) == 0 || b[0] > 1 {
		return value{}, nil, false
	}

	v.known, b = b[0] == 1, b[1:]

	switch {
	case !v.known:
		return v, b, true
	case k.text != nil:
		text, rest, ok := wire.Cut(b)
		v.text = string(text)

		return v, rest, ok && len(text) > 0
	}

	n, size := binary.Varint(b)
	v.number = Number(n)

	return v, b[max(size, 0):], size > 0 && v.number.Known()
}
