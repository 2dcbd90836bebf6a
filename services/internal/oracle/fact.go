package oracle

import (
	"cmp"
	"slices"
	"strings"
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/scorecard"
)

// Lengths of time, in microseconds.
const (
	second int64 = 1_000_000
	hour         = 3600 * second
	day          = 24 * hour
)

// Day is a UTC day, counted from 1970-01-01.
type Day int64

// DayOf returns the day of a time in microseconds since the epoch, which is never negative.
func DayOf(micros int64) Day { return Day(micros / day) }

// month counts calendar months.
func (d Day) month() int {
	t := time.UnixMicro(int64(d) * day).UTC()
	return t.Year()*12 + int(t.Month()) //nolint:mnd // months of a year
}

// Timed is an accepted event with the time that the rules gave it, in microseconds since the epoch.
type Timed struct {
	Event *eventv1.Event
	Time  int64
}

// ledger is everything that is known of an account: its events in order of time, then of message id,
// so that the latest is the last and the earliest is the first.
type ledger struct {
	events  []Timed
	today   Day
	person  map[string]string // user id to the one name of all ids that aliases joined
	profile profile
}

func newLedger(events []Timed, today Day) ledger {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Timed) int {
		return cmp.Or(
			cmp.Compare(a.Time, b.Time),
			strings.Compare(a.Event.GetMessageId(), b.Event.GetMessageId()),
		)
	})
	return ledger{events: sorted, today: today, person: people(sorted), profile: standing(sorted)}
}

// people gives all user ids that aliases joined, directly or by others, the same name.
func people(events []Timed) map[string]string {
	person := map[string]string{}
	for _, e := range events {
		for _, id := range []string{e.Event.GetUserId(), e.Event.GetUser().GetPreviousUserId()} {
			if id != "" {
				person[id] = id
			}
		}
	}
	for _, e := range events {
		user, previous := e.Event.GetUserId(), e.Event.GetUser().GetPreviousUserId()
		if user == "" || previous == "" {
			continue
		}
		from, to := person[previous], person[user]
		for id, name := range person {
			if name == from {
				person[id] = to
			}
		}
	}
	return person
}

// succeeded tells whether the event is a login that did not fail.
func succeeded(e *eventv1.Event) bool {
	l := e.GetLogin()
	return l != nil && (l.Success == nil || l.GetSuccess())
}

// sees tells whether the account, and the user it names, is seen by the event.
func sees(e *eventv1.Event) bool { return e.GetUsage() != nil || succeeded(e) }

// within tells whether the event's day is one of from..to.
func within(e Timed, from, to Day) bool { return DayOf(e.Time) >= from && DayOf(e.Time) <= to }

// has tells whether some event is as wanted.
func (l ledger) has(wanted func(*eventv1.Event) bool) bool {
	return slices.ContainsFunc(l.events, func(t Timed) bool { return wanted(t.Event) })
}

// latest returns the latest event that is as wanted.
func (l ledger) latest(wanted func(*eventv1.Event) bool) (Timed, bool) {
	for _, e := range slices.Backward(l.events) {
		if wanted(e.Event) {
			return e, true
		}
	}
	return Timed{}, false
}

// earliest returns the earliest event that is as wanted.
func (l ledger) earliest(wanted func(*eventv1.Event) bool) (Timed, bool) {
	for _, e := range l.events {
		if wanted(e.Event) {
			return e, true
		}
	}
	return Timed{}, false
}

// seen returns the people seen on the days from..to.
func (l ledger) seen(from, to Day) map[string]bool {
	found := map[string]bool{}
	for _, e := range l.events {
		if e.Event.GetUserId() != "" && sees(e.Event) && within(e, from, to) {
			found[l.person[e.Event.GetUserId()]] = true
		}
	}
	return found
}

// used tells whether a feature was ever used.
func (l ledger) used(feature string) bool {
	return l.has(func(e *eventv1.Event) bool {
		return e.GetUsage() != nil && e.GetUsage().GetFeature() == feature
	})
}

// age is the account's age in days.
func (l ledger) age() int64 {
	first := l.today
	if len(l.events) > 0 {
		first = DayOf(l.events[0].Time)
	}
	if created, ok := l.profile.date("created_date"); ok {
		first = created
	}
	return max(0, int64(l.today-first))
}

// profile is what the account events left standing.
type profile struct {
	text   map[string]string
	number map[string]int64
	traits map[string]scorecard.Trait
}

// date reads a field that holds a day; what is no day of the calendar counts as unset.
func (p profile) date(field string) (Day, bool) {
	at, err := time.Parse(time.DateOnly, p.text[field])
	if err != nil {
		return 0, false
	}
	return Day(at.Unix() / (24 * 3600)), true
}

// standing applies all changes of the profile in order of time; so the latest of each field stands.
func standing(events []Timed) profile {
	p := profile{text: map[string]string{}, number: map[string]int64{}, traits: map[string]scorecard.Trait{}}
	for _, e := range events {
		if a := e.Event.GetAccount(); a != nil {
			p.change(a)
		}
	}
	return p
}

// change clears what the event clears, then sets what it sets.
func (p profile) change(a *eventv1.Account) {
	for _, field := range a.GetClear() {
		delete(p.text, field)
		delete(p.number, strings.TrimSuffix(field, "_micros"))
		if name, ok := strings.CutPrefix(field, "traits."); ok {
			delete(p.traits, name)
		}
	}
	texts := map[string]*string{
		"name": a.Name, "plan": a.Plan, "currency": a.Currency, "renewal_date": a.RenewalDate,
		"created_date": a.CreatedDate, "owner": a.Owner, "segment": a.Segment, "industry": a.Industry,
		"parent": a.Parent, "stage": a.Stage, "churn_date": a.ChurnDate,
	}
	for field, value := range texts {
		if value != nil {
			p.text[field] = *value
		}
	}
	if a.ArrMicros != nil {
		p.number["arr"] = a.GetArrMicros()
	}
	if a.Seats != nil {
		p.number["seats"] = a.GetSeats() * 1_000_000
	}
	if a.TermDays != nil {
		p.number["term_days"] = int64(a.GetTermDays()) * 1_000_000
	}
	for _, t := range a.GetTraits() {
		p.traits[t.GetName()] = trait(t)
	}
}

func trait(t *eventv1.Trait) scorecard.Trait {
	switch v := t.GetValue().(type) {
	case *eventv1.Trait_Text:
		return scorecard.Trait{Kind: scorecard.TraitText, Text: v.Text}
	case *eventv1.Trait_NumberMicros:
		return scorecard.Trait{Kind: scorecard.TraitNumber, Micros: v.NumberMicros}
	case *eventv1.Trait_Flag:
		return scorecard.Trait{Kind: scorecard.TraitFlag, Flag: v.Flag}
	default:
		return scorecard.Trait{}
	}
}
