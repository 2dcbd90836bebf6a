package demo

import (
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	// family is how many accounts there are to one that has daughters.
	family = 12
	// uncertain is how many days before the end those who leave have made up their minds.
	uncertain = 45
	// signing is the time of day at which contracts are signed and ended.
	signing = 9 * time.Hour
	// percent is what shares are out of.
	percent = 100
)

// sign settles who belongs to whom, and who leaves at the renewal. It draws nothing, so it changes nothing else.
func (p *Portfolio) sign() {
	for i := range p.Accounts {
		a := &p.Accounts[i]

		if n := i % family; n == family-1 || n == family-2 {
			mother := &p.Accounts[i-n+family-3]
			a.parent, a.currency = mother.ID, mother.currency
		}

		if i >= len(Stories()) { // the first of each story stay: the demo shows them
			a.leave(p.End)
		}
	}
}

// leave settles whether and when an account leaves: some at a renewal, some before it.
func (a *Account) leave(end time.Time) {
	if a.Story != Leaving {
		return
	}

	const impatient, soonest, spread = 4, 6, 28

	decided := end.AddDate(0, 0, -uncertain)

	switch early := end.AddDate(0, 0, -soonest-a.index%spread).Truncate(dayHours * time.Hour); {
	case a.renewal.After(decided) && a.renewal.Before(end):
		a.churn = a.renewal
	case a.index%impatient == 0 && early.After(a.begins.AddDate(0, 0, soonest)):
		a.churn = early
	}
}

// gone says whether the account left in its history.
func (a *Account) gone() bool { return !a.churn.IsZero() }

// orUnset leaves out what is empty.
func orUnset(s string) *string {
	if s == "" {
		return nil
	}

	return &s
}

// uplift is what an account pays after a renewal, in percent of what it paid.
func (s Story) uplift() int64 {
	switch s {
	case Angry:
		return 85
	case Steady:
		return 104
	case Growing, Leaving, Stalled: // growing accounts buy more when they need it
	}

	return percent
}

// contract writes what becomes of the contract: each year it is renewed, or the account leaves.
func (w *writer) contract() {
	a := w.account
	arr := a.arr * micros

	for day := a.renewal; day.Before(w.portfolio.End) && (!a.gone() || day.Before(a.churn)); day = day.AddDate(1, 0, 0) {
		profile := &eventv1.Account{RenewalDate: new(day.AddDate(1, 0, 0).Format(dateLayout))}
		if a.Story.uplift() != percent {
			arr = arr * a.Story.uplift() / percent
			profile.ArrMicros = new(arr)
		}

		w.add(day.Add(signing), "", func(e *eventv1.Event) { e.Body = &eventv1.Event_Account{Account: profile} })
	}

	if a.gone() {
		w.add(a.churn.Add(signing), "", func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Account{Account: &eventv1.Account{ChurnDate: new(a.churn.Format(dateLayout))}}
		})
	}
}
