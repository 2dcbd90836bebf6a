package condition

import (
	"slices"
	"strings"
)

// vocabulary is the names there are, without what they stand for.
type vocabulary struct {
	places map[string]int      // of a name in the order given, by path
	values map[string][]string // that a name can have, where they are listed
	maps   []mapping
}

// mapping is a map whose entries are names.
type mapping struct {
	name    string
	entries []string // in order
	numbers bool     // all are doubles
}

func newVocabulary[S any](names []Name[S]) vocabulary {
	v := vocabulary{places: make(map[string]int, len(names)), values: map[string][]string{}}
	for i, n := range names {
		v.places[n.Path] = i
		if n.Values != nil {
			v.values[n.Path] = n.Values
		}
		in, entry, ok := strings.Cut(n.Path, ".")
		if !ok {
			continue
		}
		m := v.mapping(in)
		if m == nil {
			v.maps = append(v.maps, mapping{name: in, numbers: true})
			m = &v.maps[len(v.maps)-1]
		}
		m.entries = append(m.entries, entry)
		m.numbers = m.numbers && n.Number != nil
	}
	return v
}

// mapping returns the map of that name; nil: there is none.
func (v *vocabulary) mapping(name string) *mapping {
	for i := range v.maps {
		if v.maps[i].name == name {
			return &v.maps[i]
		}
	}
	return nil
}

// taken says whether a name stands for something by itself.
func (v *vocabulary) taken(name string) bool {
	_, ok := v.places[name]
	return ok || v.mapping(name) != nil
}

// has says whether the map has an entry of that name.
func (m *mapping) has(entry string) bool { return slices.Contains(m.entries, entry) }

// lacks says that the map has no such entry.
func (m *mapping) lacks(entry string) string {
	if m.numbers {
		return "there is no " + strings.TrimSuffix(m.name, "s") + " " + entry
	}
	return m.name + " has no field " + entry
}
