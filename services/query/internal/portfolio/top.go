package portfolio

import "slices"

// top keeps the first entries of an order, without keeping all.
type top[T any] struct {
	limit   int
	compare func(a, b T) int
	kept    []T
	// full says that kept was cut to the limit, so that its entry there is a bound: what is behind it is not wanted.
	full bool
}

func (t *top[T]) add(entries ...T) {
	const slack = 2 // sorting now and then costs little an entry

	for _, e := range entries {
		if t.full && t.compare(e, t.kept[t.limit-1]) > 0 {
			continue
		}

		if t.kept = append(t.kept, e); len(t.kept) >= slack*(t.limit+slack) {
			t.cut()
		}
	}
}

// cut sorts, and drops what is too much.
func (t *top[T]) cut() {
	slices.SortFunc(t.kept, t.compare)
	t.kept = t.kept[:min(len(t.kept), t.limit)]
	t.full = t.limit > 0 && len(t.kept) == t.limit
}

// sorted returns the entries.
func (t *top[T]) sorted() []T {
	t.cut()

	return t.kept
}
