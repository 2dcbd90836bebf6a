package catalog

import (
	"cmp"
	"slices"
	"strings"

	"hale.dev/services/internal/health"
)

// Most is how many features of a workspace are known: those that were used last.
const Most = 2000

// Use is a feature and the last day on which some account used it.
type Use struct {
	Name string
	Last health.Day
}

// compare puts the feature used last first; of several the first in the alphabet.
func compare(a, b Use) int {
	return cmp.Or(cmp.Compare(b.Last, a.Last), strings.Compare(a.Name, b.Name))
}

// latest keeps the features used last. The zero value has none.
//
// Days only ever move a feature ahead. So one that Most others stand before can come back only by a later day, and it does
// not matter in which order uses come: what is kept is what would be kept of all of them.
type latest struct {
	days map[string]health.Day
	// full says that days was cut; what is behind bound, the last entry that was kept then, is not wanted.
	full  bool
	bound Use
	// stamp is another one after every change.
	stamp int64
}

// add takes in a use, and says whether it changed anything.
func (l *latest) add(u Use) bool {
	if day, known := l.days[u.Name]; known {
		if u.Last > day {
			l.days[u.Name] = u.Last
		}

		return u.Last > day
	}

	if l.full && compare(u, l.bound) > 0 {
		return false
	}

	if l.days == nil {
		l.days = map[string]health.Day{}
	}

	const slack = 2 // sorting now and then costs little an entry

	l.days[strings.Clone(u.Name)] = u.Last // the name may be a piece of something large
	if len(l.days) >= slack*Most {
		l.cut()
	}

	return true
}

// cut drops what is too much.
func (l *latest) cut() {
	all := l.sorted()
	for _, u := range all[min(len(all), Most):] {
		delete(l.days, u.Name)
	}

	if len(all) >= Most {
		l.full, l.bound = true, all[Most-1]
	}
}

// sorted returns everything that is kept, in order.
func (l *latest) sorted() []Use {
	all := make([]Use, 0, len(l.days))
	for name, day := range l.days {
		all = append(all, Use{Name: name, Last: day})
	}

	slices.SortFunc(all, compare)

	return all
}
