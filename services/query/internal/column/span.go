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
