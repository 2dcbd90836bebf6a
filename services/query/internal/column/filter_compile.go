package column

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hale.dev/services/query/internal/filter"
)

// compiler turns nodes into what runs over rows.
type compiler struct {
	named func(name string) (*Filter, bool)
	size  int
}

// compiled is a node that runs.
type compiled struct {
	match predicate
	spans []span
	// cost is how dear match is, roughly.
	cost int
}

// What comparisons cost: numbers stand in the row itself, texts elsewhere in memory, traits further away.
const (
	costNumber = 1
	costText   = 3
	costSearch = 10
)

func (c *compiler) compile(n *filter.Node) (compiled, error) {
	switch n.Sort {
	case filter.NodeAnd, filter.NodeOr:
		kids := make([]compiled, 0, len(n.Kids))

		for _, kid := range n.Kids {
			k, err := c.compile(kid)
			if err != nil {
				return compiled{}, err
			}

			kids = append(kids, k)
		}

		if n.Sort == filter.NodeAnd {
			return all(kids), nil
		}

		return either(kids), nil
	case filter.NodeNot:
		kid, err := c.compile(n.Kids[0])
		if err != nil {
			return compiled{}, err
		}

		return compiled{match: func(r *Row) bool { return !kid.match(r) }, cost: kid.cost}, nil
	case filter.NodeCompare:
		c.size++

		return compare(n)
	case filter.NodeWord:
		c.size++

		return word(n)
	case filter.NodeCall:
		return c.call(n)
	}

	return compiled{}, filter.Syntax(n.Left.Start, "is no filter")
}

// all wants what all kids want. The cheap ones are asked first.
func all(kids []compiled) compiled {
	slices.SortStableFunc(kids, func(a, b compiled) int { return cmp.Compare(a.cost, b.cost) })

	made := kids[0]

	for _, k := range kids[1:] {
		first, second := made.match, k.match
		made.match = func(r *Row) bool { return first(r) && second(r) }
		made.spans = meet(made.spans, k.spans)
		made.cost += k.cost
	}

	return made
}

// either wants what any kid wants. Its candidates are those of all kids, if all have some by the same key.
func either(kids []compiled) compiled {
	made := kids[0]

	for _, k := range kids[1:] {
		first, second := made.match, k.match
		made.match = func(r *Row) bool { return first(r) || second(r) }
		made.spans = union(made.spans, k.spans)
		made.cost += k.cost
	}

	return made
}

// word wants rows whose name or id contains the word, whatever its case.
func word(n *filter.Node) (compiled, error) {
	text := n.Left.Text
	if text == "" {
		return compiled{}, filter.Syntax(n.Left.Start, "an empty word says nothing")
	}

	has := filter.Containing(strings.Trim(text, "*"))

	return compiled{match: func(r *Row) bool { return has(r.Name) || has(r.Account) }, cost: 2 * costSearch}, nil
}

// call calls a function.
func (c *compiler) call(n *filter.Node) (compiled, error) {
	if n.Left.Text != "in_segment" {
		return compiled{}, &FilterError{
			Code: CodeFunction, Offset: n.Left.Start,
			Message: fmt.Sprintf("there is no function %s, only in_segment", n.Left.Text),
		}
	}

	var (
		f  *Filter
		ok bool
	)

	if c.named != nil {
		f, ok = c.named(n.Right.Text)
	}

	if !ok {
		return compiled{}, &FilterError{
			Code: CodeSegment, Offset: n.Right.Start, Message: fmt.Sprintf("there is no segment %q", n.Right.Text),
		}
	}

	if f == nil {
		return compiled{match: func(*Row) bool { return true }}, nil
	}

	if c.size += f.size; c.size > filter.MaxSize {
		return compiled{}, filter.TooLarge(n.Left.Start)
	}

	return compiled{match: f.match, spans: f.spans, cost: f.cost}, nil
}

// compare compares a field.
func compare(n *filter.Node) (compiled, error) {
	if n.Left.Sort == filter.TokenQuoted {
		return compiled{}, filter.Syntax(n.Left.Start, "a field is written without quotes")
	}

	if name, ok := strings.CutPrefix(n.Left.Text, "traits."); ok && name != "" {
		return compareTrait(n, name)
	}

	k, ok := keyOf(n.Left.Text)
	if !ok {
		return compiled{}, filter.Unknown(n.Left)
	}

	if filter.Present(n) {
		return compiled{match: present(&k), cost: costNumber}, nil
	}

	test, err := filter.Compare(n, &filter.Field{Name: k.name, Kind: k.kind, Least: k.least, Names: k.names})

	switch {
	case err != nil:
		return compiled{}, err
	case test.Text != nil:
		return texts(n, &k, test.Text), nil
	default:
		return numbers(&k, *test.Number), nil
	}
}

// texts wants the rows whose text is wanted.
func texts(n *filter.Node, k *key, match func(string) bool) compiled {
	get := k.text
	made := compiled{match: func(r *Row) bool { return match(get(r)) }, cost: costText}

	switch n.Operator {
	case ":":
		made.cost = costSearch
	case "=":
		made.spans = textSpan(k, n.Right.Text)
	}

	return made
}

// numbers wants the rows whose number is inside, or outside, of an interval.
func numbers(k *key, i filter.Interval) compiled {
	get := k.number

	if i.Outside {
		return compiled{match: func(r *Row) bool { return i.Has(get(r)) }, cost: costNumber}
	}

	low, high := i.Low, i.High
	made := compiled{
		// None is the least number there is, so it is never inside.
		match: func(r *Row) bool { n := get(r); return low <= n && n <= high },
		cost:  costNumber,
	}

	if k.kind != filter.KindName || k.ranks(low) { // rows without a rank do not stand together in an order
		made.spans = []span{{key: *k, ranges: []bounds{{
			low: value{known: true, number: low}, high: value{known: true, number: high},
		}}}}
	}

	return made
}

// present wants rows that have a value.
func present(k *key) predicate {
	if text := k.text; text != nil {
		return func(r *Row) bool { return text(r) != "" }
	}

	number := k.number

	return func(r *Row) bool { return number(r) != None }
}
