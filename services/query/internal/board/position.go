package board

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/wire"
	"hale.dev/services/query/internal/filter"
)

// ErrPosition is returned for a text that String cannot have made, or made for another list.
var ErrPosition = errors.New("board: not a position in this list")

// Position is a place in a list: behind an alert as it was when its page was read. It stays good while alerts come, go
// and change, so a walk shows every alert whose place did not change exactly once.
type Position struct {
	list   uint64
	values []value
	alert  string
}

// positionVersion begins every position.
const positionVersion = 3

// After returns the position behind the alert in the list of a filter in an order.
func After(f *Filter, o Order, a *alertv1.Alert) Position {
	p := Position{list: list(f, o), alert: a.GetAlertId(), values: make([]value, len(o.keys))}
	for i := range o.keys {
		p.values[i] = o.keys[i].value(a)
	}

	return p
}

// list tells lists apart.
func list(f *Filter, o Order) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(wire.Append(wire.Append(nil, f.String()), o.text)) // never fails

	return h.Sum64()
}

// behind says whether an alert comes after the position.
func (o Order) behind(p *Position, a *alertv1.Alert) bool {
	for i := range o.keys {
		if c := o.keys[i].compare(o.keys[i].value(a), p.values[i]); c != 0 {
			return c > 0
		}
	}

	return strings.Compare(a.GetAlertId(), p.alert) > 0
}

// String returns the position in an opaque form: version, list, of each value whether it is known, its number and its
// text, and the alert's id.
func (p Position) String() string {
	b := binary.BigEndian.AppendUint64([]byte{positionVersion}, p.list)

	for _, v := range p.values {
		if !v.known {
			b = append(b, 0)

			continue
		}

		b = binary.BigEndian.AppendUint64(append(b, 1), uint64(v.number)) //nolint:gosec // bits
		b = wire.Append(b, v.text)
	}

	return base64.RawURLEncoding.EncodeToString(append(b, p.alert...))
}

// ParsePosition undoes String for a position in that list. Its error is ErrPosition.
func ParsePosition(f *Filter, o Order, text string) (Position, error) {
	const head, number = 9, 8

	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < head || b[0] != positionVersion {
		return Position{}, ErrPosition
	}

	p := Position{list: binary.BigEndian.Uint64(b[1:])}
	if p.list != list(f, o) {
		return Position{}, ErrPosition
	}

	b = b[head:]

	for range o.keys {
		var v value

		switch {
		case len(b) > 0 && b[0] == 0:
			b = b[1:]
		case len(b) > number && b[0] == 1:
			n := binary.BigEndian.Uint64(b[1:])

			text, rest, ok := wire.Cut(b[1+number:])
			if !ok {
				return Position{}, ErrPosition
			}

			v = value{known: true, number: filter.Number(n), text: string(text)} //nolint:gosec // bits
			b = rest
		default:
			return Position{}, ErrPosition
		}

		p.values = append(p.values, v)
	}

	if len(b) == 0 {
		return Position{}, ErrPosition
	}

	p.alert = string(b)

	return p, nil
}
