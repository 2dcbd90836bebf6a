package demo

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	micros = 1_000_000
	// weekendShare is how much of a working day a day of the weekend is.
	weekendShare = 0.12
	dateLayout   = "2006-01-02"
)

// History returns the events of an account from its beginning to the end of the portfolio, in
// time order. The message ids are the same at every call.
func (p *Portfolio) History(a *Account) []*eventv1.Event {
	w := &writer{account: a, portfolio: p, random: p.config.random(streamHistory, a.index), plot: a.Story.plot()}
	w.profile()

	for day := a.begins; day.Before(p.End); day = day.AddDate(0, 0, 1) {
		w.day(day)
	}

	if a.Story == Angry {
		w.outrage()
	}

	w.surveys()
	w.talks()
	w.contract()

	end := p.End
	if a.gone() {
		end = a.churn.AddDate(0, 0, 1)
	}

	w.events = slices.DeleteFunc(w.events, func(e *eventv1.Event) bool { return !e.GetOccurredAt().AsTime().Before(end) })
	slices.SortStableFunc(w.events, func(a, b *eventv1.Event) int {
		return a.GetOccurredAt().AsTime().Compare(b.GetOccurredAt().AsTime())
	})

	prefix := "demo-" + strconv.Itoa(p.config.Seed) + "-" + a.ID + "-"
	for i, e := range w.events {
		e.MessageId = prefix + strconv.Itoa(i)
	}

	return w.events
}

// Size is how many events the history of all accounts has.
func (p *Portfolio) Size() int {
	n := 0

	for i := range p.Accounts {
		n += len(p.History(&p.Accounts[i]))
	}

	return n
}

// writer writes the history of one account.
type writer struct {
	account   *Account
	portfolio *Portfolio
	random    *rand.Rand
	plot      plot
	tickets   int
	events    []*eventv1.Event
}

// add writes an event at a time; set fills its body.
func (w *writer) add(at time.Time, user string, set func(*eventv1.Event)) {
	e := &eventv1.Event{AccountId: w.account.ID, UserId: user, OccurredAt: timestamppb.New(at)}
	set(e)
	w.events = append(w.events, e)
}

func (w *writer) chance(p float64) bool { return w.random.Float64() < p }

// ago is the days from a time to the end.
func (w *writer) ago(at time.Time) float64 {
	return w.portfolio.End.Sub(at).Hours() / dayHours
}

// profile writes the account's contract and its people at its beginning, and the growth later.
func (w *writer) profile() {
	a := w.account
	at := a.begins.Add(6 * time.Hour)
	seats, arr := int64(a.seats), a.arr*micros

	if a.Story == Growing { // it began smaller
		seats, arr = max(3, seats*7/10), arr*7/10
	}

	w.add(at, "", func(e *eventv1.Event) {
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{
			Name: &a.Name, Plan: &a.plan, ArrMicros: &arr, Currency: &a.currency, Seats: &seats,
			RenewalDate: new(a.renewal.Format(dateLayout)), CreatedDate: new(a.created.Format(dateLayout)),
			Owner: &a.owner, Segment: &a.segment, Industry: &a.industry, Parent: orUnset(a.parent),
			Traits: []*eventv1.Trait{
				{Name: "region", Value: &eventv1.Trait_Text{Text: pick(w.random, "emea", "amer", "apac")}},
				{Name: "sso", Value: &eventv1.Trait_Flag{Flag: a.segment != "smb"}},
			},
		}}
	})

	for i, role := range []string{"champion", "admin"} {
		w.add(at.Add(time.Duration(i+1)*time.Minute), a.user(i), func(e *eventv1.Event) {
			e.Body = &eventv1.Event_User{User: &eventv1.User{Role: &role, Name: new(personName(w.random))}}
		})
	}

	if a.Story == Growing {
		grown := a.begins.Add(w.portfolio.End.Sub(a.begins) * 6 / 10).Truncate(time.Hour)
		more, paid := int64(a.seats), a.arr*micros
		w.add(grown, "", func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Account{Account: &eventv1.Account{Seats: &more, ArrMicros: &paid}}
		})
	}
}

// day writes what people do on one day.
func (w *writer) day(day time.Time) {
	ago := w.ago(day)
	intensity := w.account.Story.intensity(ago, float64(w.portfolio.config.Days))

	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		intensity *= weekendShare
	}

	present := w.account.users
	if w.account.Story == Growing { // people join over time
		present = max(3, int(float64(present)*min(1, 1.05-0.4*ago/float64(w.portfolio.config.Days))))
	}

	for n := range present {
		if w.chance(w.presence(n, ago) * intensity) {
			w.visit(day, n)
		}
	}

	if w.chance(w.plot.tickets * ticketShare(w.account) * (0.3 + 0.7*intensity)) {
		w.ticket(day)
	}
}

// ticketShare lets large accounts open more tickets.
func ticketShare(a *Account) float64 { return min(2.5, 0.7+float64(a.seats)/40) }

// presence is how likely a user comes on a working day: some come daily, some hardly ever.
func (w *writer) presence(n int, ago float64) float64 {
	if n == 0 && w.account.Story == Leaving && ago < 42 {
		return 0 // the champion went first
	}

	if n < 2 {
		return 0.8 // champion and admin
	}

	switch n % 4 {
	case 0:
		return w.plot.presence * 1.9
	case 1:
		return w.plot.presence
	case 2:
		return w.plot.presence * 0.6
	default:
		return w.plot.presence * 0.35
	}
}

// visit writes a user's day: a login, then some features.
func (w *writer) visit(day time.Time, n int) {
	user := w.account.user(n)
	at := day.Add(time.Duration(7*3600+w.random.IntN(9*3600)) * time.Second)

	if w.chance(0.05) {
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Login{Login: &eventv1.Login{Method: "password", Success: new(false)}}
		})

		at = at.Add(20 * time.Second)
	}

	if w.chance(0.7) { // the others are still signed in
		method := "password"
		if w.account.segment != "smb" {
			method = "sso"
		}

		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Login{Login: &eventv1.Login{Method: method}}
		})
	}

	names := features()[:w.account.breadth]

	for range 1 + w.random.IntN(2) {
		at = at.Add(time.Duration(30+w.random.IntN(3600)) * time.Second)
		// The square makes the first features the most used.
		f := w.random.Float64()
		name := names[int(f*f*float64(len(names)))]
		quantity := int64(1+w.random.IntN(12)) * micros
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: name, QuantityMicros: &quantity}}
		})
	}
}

// features of the made-up product, the commonest first.
func features() []string {
	return []string{
		"dashboard", "reports", "search", "export", "comments", "alerts", "integrations", "automation", "api",
		"forecast",
	}
}

func personName(r *rand.Rand) string {
	return pick(r, "Ada", "Bela", "Carmen", "Dag", "Elif", "Farid", "Grete", "Hiro", "Ines", "Jomo", "Kaya", "Luan") +
		" " + pick(r, "Abel", "Brandt", "Costa", "Dietz", "Eriksen", "Fofana", "Gallo", "Haas", "Ito", "Jansen", "Kovac")
}
