package column

import "hale.dev/services/internal/health"

// compareNumber compares a field of numbers.
func compareNumber(n *node, k *key) (compiled, error) {
	v, ok := parseNumber(n.right.text)
	if !ok {
		return compiled{}, mistyped(n.right, "%s is compared with a number such as 40 or -2.5", k.name)
	}

	return numbers(k, k.number, v.interval(n.operator)), nil
}

// compareDay compares a field of days.
func compareDay(n *node, k *key) (compiled, error) {
	d, ok := health.ParseDay(n.right.text)
	if !ok {
		return compiled{}, mistyped(n.right, "%s is compared with a day written YYYY-MM-DD", k.name)
	}

	return numbers(k, k.number, interval(n.operator, Number(d), false)), nil
}

// compareName compares a field of names or flags.
func compareName(n *node, k *key) (compiled, error) {
	if k.kind == kindFlag {
		flag, ok := parseFlag(n.right.text)

		switch {
		case !ok:
			return compiled{}, mistyped(n.right, "%s is compared with true or false", k.name)
		case ordered(n.operator):
			return compiled{}, mistyped(n.right, "%s is neither more nor less than something", k.name)
		}

		return numbers(k, k.number, interval(n.operator, flag, false)), nil
	}

	v, ok := k.names(n.right.text)
	if !ok {
		return compiled{}, mistyped(n.right, "there is no %s %q", k.name, n.right.text)
	}

	if !ordered(n.operator) {
		made := numbers(k, k.number, interval(n.operator, v, false))
		if !k.ranks(v) {
			made.spans = nil
		}

		return made, nil
	}

	if !k.ranks(v) {
		return compiled{}, mistyped(n.right, "nothing is more or less than the %s %s", n.right.text, k.name)
	}

	return numbers(k, k.ranked(), interval(n.operator, v, false)), nil
}

// ordered says whether an operator is about more and less.
func ordered(operator string) bool { return operator[0] == '<' || operator[0] == '>' }

// parseFlag reads true or false.
func parseFlag(text string) (Number, bool) {
	switch text {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}

	return 0, false
}

// numbers wants the rows whose number is inside, or outside, of an interval.
func numbers(k *key, get func(*Row) Number, i between) compiled {
	if i.outside {
		return compiled{match: func(r *Row) bool { return i.has(get(r)) }, cost: costNumber}
	}

	low, high := i.low, i.high

	return compiled{
		// None is the least number there is, so it is never inside.
		match: func(r *Row) bool { n := get(r); return low <= n && n <= high },
		cost:  costNumber,
		spans: []span{{key: *k, ranges: []bounds{{
			low: value{known: true, number: low}, high: value{known: true, number: high},
		}}}},
	}
}
