package column

// Query asks for a page of rows.
type Query struct {
	Filter *Filter
	Order  Order
	// After is where the page begins; nil: at the start.
	After *Position
	// Limit is how many rows the page has at most.
	Limit int
	// Count says whether Total is wanted where there is a filter.
	Count bool
}

// Found is the answer to a query.
type Found struct {
	Rows []*Row
	// More says that there are rows behind these.
	More bool
	// Total is how many rows the filter wants; -1 where they were not counted.
	Total int
}

// Find returns a page.
func (t *Table) Find(q Query) Found {
	var (
		s     = t.sorted(q.Order, q.After != nil)
		found = Found{Total: -1}
	)

	if q.Filter == nil {
		found.Total = t.Len()
		q.Count = false
	}

	rows, total := t.rowsOf(&q, s, found.Total)
	found.Total = total
	found.More = len(rows) > q.Limit

	for _, e := range rows[:min(len(rows), q.Limit)] {
		found.Rows = append(found.Rows, e.row)
	}

	return found
}

// rowsOf returns the rows of a page, and one more if there are, by the cheapest way; and how many the filter wants, if
// that is to be counted, else total.
func (t *Table) rowsOf(q *Query, s *sorted, total int) ([]entry, int) {
	if some := t.candidates(q, s); some != nil {
		return q.top(some, total)
	}

	if s != nil && !q.Count {
		if rows, ok := q.walk(s); ok {
			return rows, total
		}
	}

	return q.top(t.everything(), total)
}

// everything is all rows, in pieces.
func (t *Table) everything() [][]*Row {
	all := t.snapshot()
	pieces := make([][]*Row, len(all))

	for i, c := range all {
		pieces[i] = c.live()
	}

	return pieces
}

// wants says whether a row belongs to the list, wherever it stands in it.
func (q *Query) wants(r *Row) bool { return q.Filter.Match(r) }

// behind says whether a row comes after where the page begins.
func (q *Query) behind(r *Row) bool { return q.After == nil || q.Order.behind(q.After, r) }
