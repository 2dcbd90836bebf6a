package board

import (
	"cmp"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/query/internal/filter"
)

// Order is how alerts are ordered. Those without a value come last, in either direction; ties go by alert id, ascending.
// Only ParseOrder makes one.
type Order struct {
	keys []orderKey
	text string
}

// orderKey is a field in its direction.
type orderKey struct {
	field

	desc bool
}

// urgent is the order of an empty text: the most urgent first.
const urgent = "severity desc,fire_time desc"

// ParseOrder reads an order_by: fields, comma-separated, each with asc or desc behind. Its error is a
// *filter.OrderError.
func ParseOrder(text string) (Order, error) {
	if strings.TrimSpace(text) == "" {
		text = urgent
	}

	var o Order

	err := filter.ParseOrder(text, func(path string, desc bool) (string, bool) {
		f, ok := fieldOf(path)
		if !ok {
			return "", false
		}

		o.keys = append(o.keys, orderKey{field: f, desc: desc})
		o.text += "," + path

		if desc {
			o.text += " desc"
		}

		return path, true
	})

	return o, err
}

// value is what an alert has for a key.
type value struct {
	known  bool
	number filter.Number
	text   string
}

func (k *orderKey) value(a *alertv1.Alert) value {
	if k.text != nil {
		text := k.text(a)

		return value{known: text != "", text: text}
	}

	n := k.number(a)

	return value{known: n.Known() && (k.Least == 0 || n >= k.Least), number: n}
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
	}

	c := cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.text, b.text))
	if k.desc {
		return -c
	}

	return c
}

// compare says which alert comes first.
func (o Order) compare(a, b *alertv1.Alert) int {
	for i := range o.keys {
		k := &o.keys[i]
		if c := k.compare(k.value(a), k.value(b)); c != 0 {
			return c
		}
	}

	return strings.Compare(a.GetAlertId(), b.GetAlertId())
}
