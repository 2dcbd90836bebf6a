package column

import (
	"encoding/binary"
	"fmt"
	"strings"
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

// maxKeys is how many fields an order may have.
const maxKeys = 5

// OrderError is returned for an order that lists do not have.
type OrderError struct {
	// Code is stable, for example "order_by.unknown".
	Code string
	// Message is for a person.
	Message string
}

// The codes of an OrderError.
const (
	// CodeOrderSyntax: the text is no order.
	CodeOrderSyntax = "order_by.syntax"
	// CodeOrderField: there is no such field.
	CodeOrderField = "order_by.unknown"
	// CodeOrderLong: there are too many fields, or one is there twice.
	CodeOrderLong = "order_by.fields"
)

// Error implements error.
func (e *OrderError) Error() string { return e.Message }

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

	var (
		o     Order
		parts = strings.Split(text, ",")
		seen  = map[string]bool{}
	)

	if len(parts) > maxKeys {
		return Order{}, &OrderError{Code: CodeOrderLong, Message: fmt.Sprintf("at most %d fields", maxKeys)}
	}

	for _, part := range parts {
		k, err := parseOrderKey(part)
		if err != nil {
			return Order{}, err
		}

		if seen[k.name] {
			return Order{}, &OrderError{Code: CodeOrderLong, Message: k.name + " is there twice"}
		}

		seen[k.name] = true
		o.keys = append(o.keys, k)
	}

	o.text = o.format()

	return o, nil
}

// parseOrderKey reads one field of an order.
func parseOrderKey(text string) (orderKey, error) {
	words := strings.Fields(text)

	if len(words) == 0 || len(words) > 2 || (len(words) == 2 && words[1] != "asc" && words[1] != "desc") {
		return orderKey{}, &OrderError{
			Code: CodeOrderSyntax, Message: fmt.Sprintf("%q is not a field with asc or desc behind", text),
		}
	}

	k, ok := keyOf(words[0])
	if words[0] == worklist {
		// The most pressing comes first.
		k, ok = key{name: worklist, kind: kindNumber, number: func(r *Row) Number { return negated(r.Worklist()) }}, true
	}

	if !ok {
		return orderKey{}, &OrderError{
			Code: CodeOrderField, Message: fmt.Sprintf("there is no field %q to order by", words[0]),
		}
	}

	if k.number != nil {
		k.number = k.ranked()
	}

	return orderKey{key: k, desc: len(words) == 2 && words[1] == "desc"}, nil
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
