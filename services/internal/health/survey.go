package health

import "slices"

const (
	// surveyDays is how many days, today included, the sums of surveys are kept.
	surveyDays = 180
	csatDays   = 90
	cesDays    = 90
)

// surveyDay holds the sums of one day. The nps answers are those of anonymous users.
type surveyDay struct {
	day            Day
	sent, answered int64
	nps            answers
	csat, csatGood int64
	ces, cesSum    int64
}

// surveyOf returns the sums of a day, added if need be; nil for a day before all windows.
func (a *Account) surveyOf(d Day) *surveyDay {
	i := len(a.surveys)
	for i > 0 && a.surveys[i-1].day >= d {
		i--
	}
	if i < len(a.surveys) && a.surveys[i].day == d {
		return &a.surveys[i]
	}
	if d <= a.day-surveyDays {
		return nil
	}
	a.surveys = slices.Insert(a.surveys, i, surveyDay{day: d})
	return &a.surveys[i]
}
