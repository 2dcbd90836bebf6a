package health

import "hale.dev/services/internal/scorecard"

const (
	// forgetDays is after how many days without an event a user, feature or ticket is forgotten.
	forgetDays = 400
	// forgetEvery is on which days it is looked for them: those whose number it divides.
	forgetEvery = 32
)

func isMilestone(set *scorecard.Set, name string) bool {
	for i := range set.Milestones {
		if set.Milestones[i].Feature == name {
			return true
		}
	}
	return false
}

// settle brings the features into their bound. Those of milestones and goals stay whether in the sample or not.
func (a *Account) settle(set *scorecard.Set) {
	for name, f := range a.pending { // an order-free walk: each name is kept or not by itself
		if isMilestone(set, name) || a.wanted(name) {
			a.features.insert(name, f)
		}
	}
	a.pending = nil
	if a.features.count <= maxFeatures || a.sampledFeatures() <= maxFeatures {
		return
	}
	a.featureStats.valid = false
	for a.sampledFeatures() > maxFeatures {
		a.features.level++
		a.features.retain(func(name string, _ *feature) bool {
			return a.features.in(name) || isMilestone(set, name) || a.wanted(name)
		})
	}
}

// sampledFeatures counts the features of the sample.
func (a *Account) sampledFeatures() int {
	if a.features.level == 0 {
		return a.features.count
	}
	n := 0
	a.features.each(func(name string, _ *feature) {
		if a.features.in(name) {
			n++
		}
	})
	return n
}

// lastForget is the last day, up to the given one, on which things are forgotten.
func lastForget(day Day) Day { return day - (day%forgetEvery+forgetEvery)%forgetEvery }

// forget drops what no measure can see any more and had no event for long.
func (a *Account) forget(set *scorecard.Set) {
	old := a.day - forgetDays
	a.users.retain(func(_ string, u *user) bool { return !u.stale(old) })
	a.derive()
	a.features.retain(func(name string, f *feature) bool { return f.last > old || isMilestone(set, name) })
	a.tickets.retain(func(_ string, t *ticket) bool { return DayOf(t.last) > old || !t.isClosed() })
	if a.aliases.count > 0 {
		stale := a.staleAliases(old)
		a.aliases.retain(func(id string, _ *alias) bool {
			_, gone := stale[id]
			return !gone
		})
	}
}
