package oracle

import "hale.dev/services/internal/scorecard"

// remembered is how long a message id is remembered, in log time.
const remembered = 7*day + 2*hour

// Account is what the rules make of one account.
type Account struct {
	Key

	// Events are the accepted events, in order of acceptance.
	Events []Timed
	// Duplicates counts the events whose message id the account had seen.
	Duplicates int
	// Day is the account's day.
	Day Day
	// Stage is that of the account's day; "churned" too. Empty before the first evaluation.
	Stage string
	// Band is the last band; "unknown" before the first evaluation.
	Band string
	// Last is the last evaluation; nil before the first. While churned, it is the last before the churn.
	Last *Evaluation
	// Rows are the daily history, oldest first.
	Rows []Row
	// Months are how its months ended, oldest first.
	Months []Month

	override *Override
	goals    map[string]*Goal
	decided  map[string]int64 // command id to the log time at which it took effect

	seen      map[string]int64 // message id to the log time at which it was accepted
	firstLoad string           // the load of the account's first event
	load      string           // the open load the account is in
	live      bool             // took a live event
	touched   bool             // has changed since the last evaluation
	known     *ledger          // see ledger

	silent map[string]bool                       // sources of whose silence it has heard
	still  map[scorecard.Measure]scorecard.Value // what stands still because of it
	alerts *book
	urgent int64 // when the oldest open urgent ticket was opened, as of the last review; -1: there is none
}

// Row is the end of one day. Numbers are micros.
type Row struct {
	Day        Day
	Band       string
	Evaluation Evaluation
}

func newAccount(key Key, load string) *Account {
	return &Account{
		Key: key, Band: unknown, seen: map[string]int64{}, decided: map[string]int64{}, goals: map[string]*Goal{},
		firstLoad: load, load: load,
		alerts: newBook(Subject{Workspace: key.Workspace, Account: key.Account}), urgent: -1,
	}
}

// hasSeen tells whether the message id counts as seen at a log time.
func (a *Account) hasSeen(messageID string, logTime int64) bool {
	at, ok := a.seen[messageID]
	return ok && logTime-at <= remembered
}

func (a *Account) accept(e Timed, logTime int64) {
	a.seen[e.Event.GetMessageId()] = logTime
	a.Events = append(a.Events, e)
	a.touched = true
}

// churned tells whether the account is churned on its day.
func (a *Account) churned() bool { return a.ledger().churned() }

// ledger is all that is known of the account on its day. The last one is kept: alerts ask for it often.
func (a *Account) ledger() ledger {
	if a.known == nil || len(a.known.events) != len(a.Events) || a.known.today != a.Day {
		l := newLedger(a.Events, a.Day)
		a.known = &l
	}
	return *a.known
}

// evaluate scores the account on its day.
func (a *Account) evaluate(w *World) {
	a.touched = false
	if a.churned() {
		a.Stage = churned
		return
	}
	e := evaluate(a.ledger(), w.set(a.Workspace), a.still)
	a.Band = band(e, a.Last, a.Band)
	a.Stage = e.Stage
	a.Last = &e
	a.review(&e)
}

// rollTo rolls the account forward, day by day. An account without events only takes the day.
func (a *Account) rollTo(today Day, w *World) {
	if len(a.Events) == 0 {
		a.Day = today
		return
	}
	if w.final {
		a.Day = max(a.Day, today)
		return
	}
	for a.Day < today {
		if a.touched {
			a.evaluate(w)
		}
		if !a.churned() {
			r := Row{Day: a.Day, Band: a.Band, Evaluation: *a.Last}
			a.Rows = append(a.Rows, r)
			if a.Day.month() != (a.Day + 1).month() {
				a.Months = append(a.Months, a.month(r))
			}
		}
		a.Day++
		a.evaluate(w)
	}
}
