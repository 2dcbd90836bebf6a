package column

import (
	"cmp"
	"slices"
	"strings"
)

// value is what a row has for a key.
type value struct {
	known  bool
	number Number
	text   string
}

// compare orders known values.
func (v value) compare(w value) int {
	return cmp.Or(cmp.Compare(v.number, w.number), strings.Compare(v.text, w.text))
}

// span says that every row a filter wants has a value of a key in one of some ranges. In an order by that key those
// rows stand together, so they can be looked at alone.
type span struct {
	key    key
	ranges []bounds
}

// bounds are the values from low to high, and with prefix those that begin with high too.
type bounds struct {
	low, high value
	prefix    bool
}

// textSpan is the span of a comparison with = of a text, which may hold an asterisk at either end.
func textSpan(k *key, text string) []span {
	if strings.HasPrefix(text, "*") {
		return nil
	}

	rest, prefix := strings.CutSuffix(text, "*")
	v := value{known: true, text: rest}

	return []span{{key: *k, ranges: []bounds{{low: v, high: v, prefix: prefix}}}}
}

// meet are the spans of what is in all of both. Of two ranges of one key what they share is left.
func meet(a, b []span) []span {
	all := slices.Clone(a)

	for _, t := range b {
		i := slices.IndexFunc(all, func(s span) bool { return s.key.name == t.key.name && s.simple() && t.simple() })
		if i < 0 {
			all = append(all, t)

			continue
		}

		x, y := all[i].ranges[0], t.ranges[0]
		all[i] = span{key: t.key, ranges: []bounds{{
			low:  value{known: true, number: max(x.low.number, y.low.number)},
			high: value{known: true, number: min(x.high.number, y.high.number)},
		}}}
	}

	return all
}

// simple says whether the span is one range of numbers.
func (s *span) simple() bool { return s.key.number != nil && len(s.ranges) == 1 }

// union are the spans of what is in some of either: those whose key is in both.
func union(a, b []span) []span {
	var both []span

	for _, s := range a {
		for _, t := range b {
			if s.key.name == t.key.name {
				ranges := slices.Concat(s.ranges, t.ranges)
				both = append(both, span{key: s.key, ranges: ranges})

				break
			}
		}
	}

	return both
}
