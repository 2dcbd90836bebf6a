package health

import "hale.dev/services/internal/scorecard"

// MonthsKept is for how many past months an account knows how each ended.
const MonthsKept = 37

// Month counts UTC months since January 1970.
type Month int32

// MonthEnd is how a month ended. Months in which the account was churned, or not there yet, are left out.
type MonthEnd struct {
	// Month that ended.
	Month Month
	// ARR is the annual recurring revenue in micros of the currency unit; unknown where the profile had none.
	ARR scorecard.Value
	// Score is 0 to 100, in micros; unknown where no measure had data.
	Score scorecard.Value
	// Band at the end of the month.
	Band Band
	// Renewal is the renewal date as it stood then; ok is false where the profile had none.
	Renewal Day
	// HasRenewal says whether Renewal is one.
	HasRenewal bool
}

// Months returns how the last MonthsKept months ended, oldest first.
func (a *Account) Months() []MonthEnd { return nil }

// MonthOf returns the month that holds a day.
func MonthOf(d Day) Month {
	const first, months = 1970, 12
	t := d.date()
	return Month((t.Year()-first)*months + int(t.Month()) - 1) //nolint:gosec // a Day has few years
}

// String writes the month as YYYY-MM.
func (m Month) String() string { return m.First().String()[:len("2006-01")] }

// First returns the month's first day.
func (m Month) First() Day {
	const first, months = 1970, 12
	year, month := int(m)/months, int(m)%months
	if month < 0 {
		year, month = year-1, month+months
	}
	return dayOf(first+year, month+1)
}

// Last returns the month's last day.
func (m Month) Last() Day { return (m + 1).First() - 1 }
