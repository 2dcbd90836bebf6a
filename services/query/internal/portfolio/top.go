package portfolio

import "slices"

// top keeps the first entries of an order, without keeping all.
type top[T any] struct {
	limit   int
	compare func(a, b T) int
	kept    []T
}

func (t *top[T]) add(entries ...T) {
	t.kept = append(t.kept, entries...)

	const slack = 4 // sorting now and then costs little an entry
	if len(t.kept) >= slack*(t.limit+slack) {
		t.cut()
	}
}

// cut sorts, and drops what is too much.
func (t *top[T]) cut() {
	slices.SortFunc(t.kept, t.compare)
	t.kept = slices.Clip(t.kept[:min(len(t.kept), t.limit)])
}

// sorted returns the entries.
func (t *top[T]) sorted() []T {
	t.cut()

	return t.kept
}
