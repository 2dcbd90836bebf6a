package column

import (
	"encoding/binary"
	"strings"

	"hale.dev/services/query/internal/filter"
)

// Order is how a list is ordered. Accounts without a value come last, in either direction; ties go by account id,
// ascending. Only ParseOrder makes one.
type Order struct {
	keys []orderKey
	text string
}

// orderKey is a key in its direction.
type orderKey struct {
	key

	desc bool
}

// OrderError is returned for an order that lists do not have.
type OrderError = filter.OrderError

// The codes of an OrderError.
const (
	CodeOrderSyntax = filter.CodeOrderSyntax
	CodeOrderField  = filter.CodeOrderField
	CodeOrderLong   = filter.CodeOrderLong
)

// defaultOrder is that of an empty text.
const defaultOrder = "score"

// worklist is an order that is no field.
const worklist = "worklist"

// ParseOrder reads an order_by: fields, comma-separated, each with asc or desc behind; empty is by score. Its error is
// an *OrderError.
func ParseOrder(text string) (Order, error) {
	if strings.TrimSpace(text) == "" {
		text = defaultOrder
	}

	var o Order

	err := filter.ParseOrder(text, func(path string, desc bool) (string, bool) {
		k, ok := orderKeyOf(path)
		if ok {
			o.keys = append(o.keys, orderKey{key: k, desc: desc})
		}

		return k.name, ok
	})
	if err != nil {
		return Order{}, err
	}

	o.text = o.format()

	return o, nil
}

// orderKeyOf returns the key of a path where that goes by more and less.
func orderKeyOf(path string) (key, bool) {
	if path == worklist {
		// The most pressing comes first.
		return key{
			name: worklist, kind: filter.KindNumber, number: func(r *Row) Number { return negated(r.Worklist()) },
		}, true
	}

	k, ok := keyOf(path)
	if ok && k.number != nil {
		k.number = k.ranked()
	}

	return k, ok
}

func negated(n Number) Number {
	if !n.Known() {
		return None
	}

	return -n
}

// String returns the order in its one form: the same for all texts that mean the same.
func (o Order) String() string { return o.text }

func (o Order) format() string {
	parts := make([]string, len(o.keys))

	for i := range o.keys {
		parts[i] = o.keys[i].name
		if o.keys[i].desc {
			parts[i] += " desc"
		}
	}

	return strings.Join(parts, ",")
}

// by is the order by one key, ascending.
func by(k *key) Order {
	o := Order{keys: []orderKey{{key: *k}}}
	if k.number != nil {
		o.keys[0].number = k.ranked()
	}

	o.text = o.format()

	return o
}

// value is what the row has for the key.
func (k *orderKey) value(r *Row) value {
	if k.text != nil {
		text := k.text(r)

		return value{known: text != "", text: text}
	}

	n := k.number(r)

	return value{known: n.Known(), number: n}
}

// compare says which of two values comes first.
func (k *orderKey) compare(a, b value) int {
	switch {
	case a.known != b.known && a.known:
		return -1
	case a.known != b.known:
		return 1
	case !a.known:
		return 0
	case k.desc:
		return b.compare(a)
	}

	return a.compare(b)
}

// compare says which row comes first. Of two rows only those of the same account are equal.
func (o Order) compare(a, b *Row) int {
	for i := range o.keys {
		k := &o.keys[i]
		if c := k.compare(k.value(a), k.value(b)); c != 0 {
			return c
		}
	}

	return strings.Compare(a.Account, b.Account)
}

// prefix begins the row's place: of two rows with different ones, the lower comes first. It saves most comparisons from
// looking at the rows.
func (o Order) prefix(r *Row) uint64 {
	const last = ^uint64(0)

	var (
		k = &o.keys[0]
		p uint64
	)

	if k.text != nil {
		text := k.text(r)
		if text == "" {
			return last
		}

		var b [8]byte

		copy(b[:], text)
		p = binary.BigEndian.Uint64(b[:])
	} else {
		n := k.number(r)
		if n == None {
			return last
		}

		p = uint64(n) ^ 1<<63 //nolint:gosec // turns the order of int64 into that of uint64
	}

	if k.desc {
		return ^p
	}

	return p
}
