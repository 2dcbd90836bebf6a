package portfolio

import (
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// MaxMonths is how many months figures may cover: for one more, the end before the first, accounts know how it was.
const MaxMonths = health.MonthsKept - 1

// Options say what to sum up.
type Options struct {
	// Today is the day up to which all is known.
	Today health.Day
	// From and To are the first and the last month of retention, cohorts and surveys; at most MaxMonths, none of them
	// after today.
	From, To health.Month
	// Currency of all sums.
	Currency string
	// MovementDays is over how many days movement between bands is shown.
	MovementDays int
	// RenewalDays is how many days ahead renewals are listed.
	RenewalDays int
	// Limit is how many entries lists of accounts have at most.
	Limit int
}

// months is how many months the figures cover.
func (o *Options) months() int { return int(o.To-o.From) + 1 }

// Votes count in which currencies the arr of accounts is. The zero value has none.
type Votes struct {
	of map[string]int
	// last is the currency counted last, run how often in a row: most accounts are in one.
	last string
	run  int
}

// Add counts an account whose arr is known.
func (v *Votes) Add(r *column.Row) {
	if !r.ARRKnown {
		return
	}

	if r.Currency != v.last {
		v.settle()
		v.last = r.Currency
	}

	v.run++
}

// settle counts what ran up.
func (v *Votes) settle() {
	if v.of == nil {
		v.of = map[string]int{}
	}

	v.of[v.last] += v.run
	v.run = 0
}

// Merge adds other votes.
func (v *Votes) Merge(other *Votes) {
	v.settle()
	other.settle()

	for currency, n := range other.of {
		v.of[currency] += n
	}
}

// Winner is the currency of most accounts; of several the first in the alphabet, and one that is not named the last.
func (v *Votes) Winner() string {
	v.settle()

	best, most := "", 0

	for currency, n := range v.of {
		if n > most || n > 0 && n == most && (best == "" || currency != "" && currency < best) {
			best, most = currency, n
		}
	}

	return best
}
