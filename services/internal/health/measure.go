package health

import (
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/scorecard"
)

const (
	percent       = 100 * fixed.One
	recentDays    = 7
	trendDays     = 35
	loginDays     = 28
	loginHalfDays = 14
	pulseDays     = 90
)

// Measures returns today's measures without the absence rule: those that need a connected source
// have a value only if the account ever had such an event.
func (a *Account) Measures(set *scorecard.Set) scorecard.Values {
	b := *a
	b.refresh()
	v := b.measures(b.milestones(set))
	b.absent(&v, 0)
	return v
}

// refresh makes the sums of today that evaluations share.
func (a *Account) refresh() {
	a.refreshStats()
	a.refreshFeatures()
	a.refreshTickets()
}

// absent takes away the values that mean nothing while neither a source is connected nor the
// account had an event of it.
func (a *Account) absent(v *scorecard.Values, connected scorecard.Source) {
	if !a.everSeen && connected&(scorecard.SourceUsage|scorecard.SourceLogin) == 0 {
		v[scorecard.ActiveUsers] = scorecard.Value{}
		v[scorecard.FeaturesUsed] = scorecard.Value{}
		v[scorecard.LoginDays] = scorecard.Value{}
		v[scorecard.DaysSinceSeen] = scorecard.Value{}
	}
	if !a.everTicket && connected&scorecard.SourceTicket == 0 {
		v[scorecard.OpenTickets] = scorecard.Value{}
		v[scorecard.TicketVolume] = scorecard.Value{}
	}
}

// measures computes every measure as if all sources were connected. The sums of today stand.
func (a *Account) measures(m milestones) scorecard.Values {
	var v scorecard.Values
	a.measureUsers(&v)
	a.measureUsage(&v)
	a.measureTickets(&v)
	a.measureSurveys(&v)
	a.measureRelations(&v)
	v[scorecard.FeaturesUsed] = whole(a.features.scale(a.featureStats.used))
	if m.due > 0 {
		v[scorecard.Milestones] = known(min(percent, fixed.MulDiv(m.done, percent, m.due)))
	}
	a.alerting.still.hold(&v)
	return v
}

func known(micros int64) scorecard.Value { return scorecard.Value{Micros: micros, Known: true} }

// whole is the value of a count.
func whole(n int64) scorecard.Value { return known(fixed.MulDiv(n, fixed.One, 1)) }

// ratio is n/d in percent; without data where d is 0.
func ratio(n, d int64) scorecard.Value {
	if d == 0 {
		return scorecard.Value{}
	}
	return known(fixed.MulDiv(n, percent, d))
}

// capped bounds a share at 100 percent.
func capped(v scorecard.Value) scorecard.Value {
	v.Micros = min(v.Micros, percent)
	return v
}

func (a *Account) measureUsers(v *scorecard.Values) {
	s := &a.stats
	if seats, _ := a.profile.number(fieldSeats); seats > 0 {
		v[scorecard.ActiveUsers] = ratio(a.users.scale(s.active), seats)
	}
	v[scorecard.Stickiness] = ratio(s.daily, s.whole*s.before)
	if s.champion != noDay {
		v[scorecard.ChampionSeen] = a.daysSince(s.champion)
	}
}

// daysSince is the number of days from d to today.
func (a *Account) daysSince(d Day) scorecard.Value { return whole(int64(a.day) - int64(d)) }

func (a *Account) measureUsage(v *scorecard.Values) {
	var recent, base, days, logins, loginsBefore int64
	for i := range a.usage {
		u := &a.usage[i]
		ago := int64(a.day) - int64(u.day)
		switch {
		case ago >= 1 && ago <= recentDays:
			recent += u.quantity
		case ago > recentDays && ago <= trendDays:
			base += u.quantity
		}
		if u.logins == 0 {
			continue
		}
		if ago >= 0 && ago < loginDays {
			days++
		}
		switch {
		case ago >= 1 && ago <= loginHalfDays:
			logins += int64(u.logins)
		case ago > loginHalfDays && ago <= loginDays:
			loginsBefore += int64(u.logins)
		}
	}
	age := a.age()
	if age >= trendDays {
		v[scorecard.UsageTrend] = ratio(4*recent-base, base)
	}
	v[scorecard.LoginDays] = whole(days)
	if age >= loginDays {
		v[scorecard.LoginTrend] = ratio(logins-loginsBefore, loginsBefore)
	}
	if a.lastSeen != noDay {
		v[scorecard.DaysSinceSeen] = a.daysSince(a.lastSeen)
	} else {
		v[scorecard.DaysSinceSeen] = whole(age)
	}
}

func (a *Account) measureTickets(v *scorecard.Values) {
	const half, microsOfHour = 2, 3600 // microseconds to micros of an hour
	s := &a.ticketStats
	v[scorecard.OpenTickets] = whole(s.open)
	v[scorecard.TicketVolume] = whole(s.volume)
	v[scorecard.ReopenRate] = capped(ratio(s.reopens, s.closes))
	if s.resolved > 0 {
		v[scorecard.ResolutionHours] = known(fixed.MulDiv(s.resolution, 1, half*microsOfHour))
	}
}

func (a *Account) measureSurveys(v *scorecard.Values) {
	nps := a.stats.nps
	nps = answers{a.users.scale(nps.count), a.users.scale(nps.promoters), a.users.scale(nps.detractors)}
	csat, good := a.ticketStats.rated, a.ticketStats.ratedGood
	var sent, answered, ces, cesSum int64
	for i := range a.surveys {
		s := &a.surveys[i]
		ago := int64(a.day) - int64(s.day)
		if ago < 0 || ago >= surveyDays {
			continue
		}
		sent += s.sent
		answered += s.answered
		nps.add(s.nps, 1)
		if ago < csatDays {
			csat += s.csat
			good += s.csatGood
		}
		if ago < cesDays {
			ces += s.ces
			cesSum += s.cesSum
		}
	}
	v[scorecard.NPS] = ratio(nps.promoters-nps.detractors, nps.count)
	v[scorecard.CSAT] = ratio(good, csat)
	v[scorecard.SurveyResponseRate] = capped(ratio(answered, sent))
	if ces > 0 {
		v[scorecard.CES] = known(fixed.MulDiv(cesSum, fixed.One, ces))
	}
}

func (a *Account) measureRelations(v *scorecard.Values) {
	if a.pulse > 0 && inWindow(DayOf(a.pulseAt.time), a.day, pulseDays) {
		v[scorecard.Pulse] = whole(int64(a.pulse))
	}
	if a.lastTouch != noDay {
		v[scorecard.DaysSinceTouch] = a.daysSince(a.lastTouch)
	}
}
