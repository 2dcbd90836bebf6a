package column

import (
	"cmp"
	"fmt"
	"strings"
)

// Field is a column that lists can be ordered by.
type Field uint8

// The fields.
const (
	// ByScore orders by score, the worst first.
	ByScore Field = iota
	// ByName orders by display name, bytewise.
	ByName
	// ByARR orders by revenue, whatever its currency.
	ByARR
	// ByAccount orders by account id, bytewise.
	ByAccount

	fieldCount
)

// fieldNames are the names of the fields in requests.
func (f Field) name() string {
	switch f {
	case ByScore:
		return "score"
	case ByName:
		return "name"
	case ByARR:
		return "arr"
	case ByAccount:
		return "account_id"
	case fieldCount:
	}

	return "?"
}

// Order is how a list is ordered. Accounts without the value come last, in either direction; ties go by account id,
// ascending.
type Order struct {
	By   Field
	Desc bool
}

// OrderError is returned for an order that lists do not have.
type OrderError struct{ Order string }

// Error implements error.
func (e *OrderError) Error() string {
	return fmt.Sprintf("%q is none of score, name, arr, account_id, each with asc or desc behind", e.Order)
}

// ParseOrder reads an order_by; empty is by score. Its error is an *OrderError.
func ParseOrder(s string) (Order, error) {
	words := strings.Fields(s)

	var o Order

	switch len(words) {
	case 0:
		return o, nil
	case 1:
	case 2:
		if words[1] != "asc" && words[1] != "desc" {
			return Order{}, &OrderError{Order: s}
		}

		o.Desc = words[1] == "desc"
	default:
		return Order{}, &OrderError{Order: s}
	}

	for f := range fieldCount {
		if f.name() == words[0] {
			o.By = f

			return o, nil
		}
	}

	return Order{}, &OrderError{Order: s}
}

// compare says which row comes first. Of two rows only those of the same account are equal.
func (o Order) compare(a, b *Row) int {
	var (
		c      int
		ka, kb = true, true
	)

	switch o.By {
	case ByScore:
		c, ka, kb = cmp.Compare(a.Score, b.Score), a.ScoreKnown, b.ScoreKnown
	case ByName:
		c, ka, kb = strings.Compare(a.Name, b.Name), a.Name != "", b.Name != ""
	case ByARR:
		c, ka, kb = cmp.Compare(a.ARR, b.ARR), a.ARRKnown, b.ARRKnown
	case ByAccount:
		c = strings.Compare(a.Account, b.Account)
	case fieldCount:
	}

	switch {
	case ka != kb && ka:
		return -1
	case ka != kb:
		return 1
	case !ka:
		c = 0
	case o.Desc:
		c = -c
	}

	if c == 0 {
		c = strings.Compare(a.Account, b.Account)
	}

	return c
}
