package board

import (
	"slices"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Query asks for a page.
type Query struct {
	Filter *Filter
	Order  Order
	// After is where the page begins; nil: with the first alert.
	After *Position
	// Limit is how many alerts the page has at most.
	Limit int
}

// Page is a part of a list.
type Page struct {
	Alerts []*alertv1.Alert
	// Total is how many alerts the filter wants.
	Total int
	// More says that there are more behind.
	More bool
}

// Find returns the page that a query asks for.
func (b *Board) Find(workspace string, q *Query) Page {
	var (
		page   Page
		wanted []*alertv1.Alert
	)

	all, _ := b.Snapshot(workspace, nil) // filters are not evaluated under the lock

	for _, a := range all {
		if !q.Filter.Match(a) {
			continue
		}

		page.Total++

		if q.After == nil || q.Order.behind(q.After, a) {
			wanted = append(wanted, a)
		}
	}

	slices.SortFunc(wanted, q.Order.compare)

	page.More = len(wanted) > q.Limit
	page.Alerts = wanted[:min(len(wanted), q.Limit)]

	return page
}
