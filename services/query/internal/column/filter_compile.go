package column

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

func (c *compiler) compile(n *node) (compiled, error) {
	switch n.sort {
	case nodeAnd, nodeOr:
		kids := make([]compiled, 0, len(n.kids))

		for _, kid := range n.kids {
			k, err := c.compile(kid)
			if err != nil {
				return compiled{}, err
			}

			kids = append(kids, k)
		}

		if n.sort == nodeAnd {
			return all(kids), nil
		}

		return either(kids), nil
	case nodeNot:
		kid, err := c.compile(n.kids[0])
		if err != nil {
			return compiled{}, err
		}

		return compiled{match: func(r *Row) bool { return !kid.match(r) }, cost: kid.cost}, nil
	case nodeCompare:
		c.size++

		return compare(n)
	case nodeWord:
		c.size++

		return word(n)
	case nodeCall:
		return c.call(n)
	}

	return compiled{}, syntax(n.left.start, "is no filter")
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
func word(n *node) (compiled, error) {
	text := n.left.text
	if text == "" {
		return compiled{}, syntax(n.left.start, "an empty word says nothing")
	}

	has := containing(strings.Trim(text, "*"))

	return compiled{match: func(r *Row) bool { return has(r.Name) || has(r.Account) }, cost: 2 * costSearch}, nil
}

// call calls a function.
func (c *compiler) call(n *node) (compiled, error) {
	if n.left.text != "in_segment" {
		return compiled{}, &FilterError{
			Code: CodeFunction, Offset: n.left.start,
			Message: fmt.Sprintf("there is no function %s, only in_segment", n.left.text),
		}
	}

	var (
		f  *Filter
		ok bool
	)

	if c.named != nil {
		f, ok = c.named(n.right.text)
	}

	if !ok {
		return compiled{}, &FilterError{
			Code: CodeSegment, Offset: n.right.start, Message: fmt.Sprintf("there is no segment %q", n.right.text),
		}
	}

	if f == nil {
		return compiled{match: func(*Row) bool { return true }}, nil
	}

	if c.size += f.size; c.size > maxSize {
		return compiled{}, tooLarge(n.left.start)
	}

	return compiled{match: f.match, spans: f.spans, cost: f.cost}, nil
}

// compare compares a field.
func compare(n *node) (compiled, error) {
	if n.left.sort == tokenQuoted {
		return compiled{}, syntax(n.left.start, "a field is written without quotes")
	}

	if name, ok := strings.CutPrefix(n.left.text, "traits."); ok && name != "" {
		return compareTrait(n, name)
	}

	k, ok := keyOf(n.left.text)
	if !ok {
		return compiled{}, &FilterError{
			Code: CodeField, Offset: n.left.start, Message: "there is no field " + n.left.text,
		}
	}

	if n.operator == ":" && n.right.sort == tokenWord && n.right.text == "*" {
		return compiled{match: present(&k), cost: costNumber}, nil
	}

	switch k.kind {
	case kindText:
		return compareText(n, &k)
	case kindNumber:
		return compareNumber(n, &k)
	case kindDay:
		return compareDay(n, &k)
	case kindName, kindFlag:
		return compareName(n, &k)
	}

	return compiled{}, mistyped(n.left, "%s cannot be compared", n.left.text)
}

// present wants rows that have a value.
func present(k *key) predicate {
	if text := k.text; text != nil {
		return func(r *Row) bool { return text(r) != "" }
	}

	number := k.number

	return func(r *Row) bool { return number(r) != None }
}

// mistyped is the error of a comparison that makes no sense.
func mistyped(at token, format string, args ...any) error {
	return &FilterError{Code: CodeType, Offset: at.start, Message: fmt.Sprintf(format, args...)}
}
