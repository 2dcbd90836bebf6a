package health

import "slices"

// FirstDay returns the first day of the account's life; false: it has none yet.
func (a *Account) FirstDay() (Day, bool) {
	if d := a.firstDay(); d != nil {
		return *d, true
	}
	return 0, false
}

// LastSeen returns the day of the latest usage or login; false: there was none.
func (a *Account) LastSeen() (Day, bool) { return a.lastSeen, a.lastSeen != noDay }

// Answers returns the sums of the surveys of each day of the last 180, oldest first. As in the measure csat, a ticket
// rating counts as an answer to csat, on the day of the event that gave it.
func (a *Account) Answers() []SurveyFact {
	days := a.surveyFacts()
	a.tickets.each(func(_ string, t *ticket) {
		d := DayOf(t.ratedAt.time)
		if t.rating == 0 || !inWindow(d, a.day, surveyDays) {
			return
		}
		i, ok := slices.BinarySearchFunc(days, d, func(f SurveyFact, d Day) int { return int(f.Day) - int(d) })
		if !ok {
			days = slices.Insert(days, i, SurveyFact{Day: d})
		}
		const good = 4
		days[i].CSAT++
		if t.rating >= good {
			days[i].CSATGood++
		}
	})
	return days
}
