package filter

// Compile turns a filter into what runs over values of one kind. leaf makes what its comparisons, words and calls want.
// A nil node wants all.
func Compile[T any](n *Node, leaf func(*Node) (func(T) bool, error)) (func(T) bool, error) {
	if n == nil {
		return func(T) bool { return true }, nil
	}

	if n.Sort != NodeAnd && n.Sort != NodeOr && n.Sort != NodeNot {
		return leaf(n)
	}

	kids := make([]func(T) bool, len(n.Kids))

	for i, kid := range n.Kids {
		var err error
		if kids[i], err = Compile(kid, leaf); err != nil {
			return nil, err
		}
	}

	if n.Sort == NodeNot {
		return func(v T) bool { return !kids[0](v) }, nil
	}

	// What ends the search: one that wants it of several that may, one that does not of several that must.
	end := n.Sort == NodeOr

	return func(v T) bool {
		for _, kid := range kids {
			if kid(v) == end {
				return end
			}
		}

		return !end
	}, nil
}
