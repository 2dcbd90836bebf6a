package health

const (
	maxFeatures = 65_536
	featureDays = 30
)

// feature is something of the product that was used.
type feature struct {
	first, last Day
}

// use notes a day of use; false where nothing changed.
func (f *feature) use(d Day) bool {
	switch {
	case d > f.last:
		f.last = d
	case d < f.first:
		f.first = d
	default:
		return false
	}
	return true
}

// useFeature notes that a feature was used on a day. One outside the sample waits for the
// evaluation, which knows whether it is a milestone.
func (a *Account) useFeature(name string, d Day) {
	if f, p := a.features.find(name); f != nil {
		was := inWindow(f.last, a.day, featureDays)
		if f.use(d) {
			p.dirty = true
		}
		if !was && inWindow(f.last, a.day, featureDays) && a.features.in(name) {
			a.featureStats.used++
		}
		return
	}
	if a.features.in(name) {
		a.features.insert(name, feature{d, d})
		if inWindow(d, a.day, featureDays) {
			a.featureStats.used++
		}
		return
	}
	f, ok := a.pending[name]
	if !ok {
		if len(a.pending) >= maxFeatures {
			return
		}
		if a.pending == nil {
			a.pending = make(map[string]feature)
		}
		f = feature{d, d}
	}
	f.use(d)
	a.pending[name] = f
}

// featureStats counts the features of the sample used in the window of one day, kept up to date
// event by event.
type featureStats struct {
	valid bool
	day   Day
	used  int64
}

// refreshFeatures makes the count of today unless it stands.
func (a *Account) refreshFeatures() {
	if a.featureStats.valid && a.featureStats.day == a.day {
		return
	}
	used := int64(0)
	a.features.each(func(name string, f *feature) {
		if inWindow(f.last, a.day, featureDays) && a.features.in(name) {
			used++
		}
	})
	a.featureStats = featureStats{valid: true, day: a.day, used: used}
}
