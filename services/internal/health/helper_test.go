package health_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

const (
	second = int64(1_000_000)
	hour   = 3600 * second
	one    = int64(1_000_000)
)

// today is the day on which the tests look at accounts: 2026-06-30.
func today() health.Day { return 20_634 }

// fact is an event with its time: days before today, and what passed of that day.
type fact struct {
	ago   int
	clock int64
	ev    *eventv1.Event
}

func (f fact) time() health.Time { return (today() - health.Day(f.ago)).Start() + f.clock }

func (f fact) with(change func(*eventv1.Event)) fact {
	change(f.ev)
	return f
}

// on makes a fact at noon.
func on(ago int, ev *eventv1.Event) fact { return fact{ago, 12 * hour, ev} }

// number gives each fact a message id of its own.
func number(facts []fact) []fact {
	for i := range facts {
		if facts[i].ev.MessageId == "" {
			facts[i].ev.MessageId = fmt.Sprintf("m%04d", i)
		}
	}
	return facts
}

func usage(user, feature string, quantity ...int64) *eventv1.Event {
	u := &eventv1.Usage{Feature: feature}
	if len(quantity) > 0 {
		u.QuantityMicros = &quantity[0]
	}
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_Usage{Usage: u}}
}

func login(user string) *eventv1.Event {
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_Login{Login: &eventv1.Login{}}}
}

func failedLogin(user string) *eventv1.Event {
	no := false
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_Login{Login: &eventv1.Login{Success: &no}}}
}

func ticket(id string, action eventv1.Ticket_Action, change ...func(*eventv1.Ticket)) *eventv1.Event {
	t := &eventv1.Ticket{TicketId: id, Action: action}
	for _, f := range change {
		f(t)
	}
	return &eventv1.Event{Body: &eventv1.Event_Ticket{Ticket: t}}
}

const (
	opened    = eventv1.Ticket_ACTION_OPENED
	updated   = eventv1.Ticket_ACTION_UPDATED
	replied   = eventv1.Ticket_ACTION_FIRST_REPLY
	escalated = eventv1.Ticket_ACTION_ESCALATED
	reopened  = eventv1.Ticket_ACTION_REOPENED
	closed    = eventv1.Ticket_ACTION_CLOSED
)

func severity(s eventv1.Ticket_Severity) func(*eventv1.Ticket) {
	return func(t *eventv1.Ticket) { t.Severity = s }
}

func rating(n int32) func(*eventv1.Ticket) { return func(t *eventv1.Ticket) { t.Rating = &n } }

func sent(kind eventv1.Survey_Type) *eventv1.Event {
	return survey("", &eventv1.Survey{Type: kind, Action: eventv1.Survey_ACTION_SENT})
}

func answered(user string, kind eventv1.Survey_Type, score, scale int32) *eventv1.Event {
	return survey(user, &eventv1.Survey{Type: kind, Action: eventv1.Survey_ACTION_ANSWERED, Score: &score, Scale: scale})
}

func survey(user string, s *eventv1.Survey) *eventv1.Event {
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_Survey{Survey: s}}
}

const (
	nps  = eventv1.Survey_TYPE_NPS
	csat = eventv1.Survey_TYPE_CSAT
	ces  = eventv1.Survey_TYPE_CES
)

func account(change func(*eventv1.Account)) *eventv1.Event {
	a := &eventv1.Account{}
	change(a)
	return &eventv1.Event{Body: &eventv1.Event_Account{Account: a}}
}

func seats(n int64) *eventv1.Event { return account(func(a *eventv1.Account) { a.Seats = &n }) }

func created(date string) *eventv1.Event {
	return account(func(a *eventv1.Account) { a.CreatedDate = &date })
}

func churn(date string) *eventv1.Event {
	return account(func(a *eventv1.Account) { a.ChurnDate = &date })
}

func cleared(names ...string) *eventv1.Event {
	return account(func(a *eventv1.Account) { a.Clear = names })
}

func role(user, name string) *eventv1.Event {
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_User{User: &eventv1.User{Role: &name}}}
}

func joined(user, previous string) *eventv1.Event {
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_User{User: &eventv1.User{PreviousUserId: previous}}}
}

func touch(kind eventv1.Interaction_Kind, pulse int32) *eventv1.Event {
	i := &eventv1.Interaction{Kind: kind}
	if pulse > 0 {
		i.Pulse = &pulse
	}
	return &eventv1.Event{Body: &eventv1.Event_Interaction{Interaction: i}}
}

const meeting = eventv1.Interaction_KIND_MEETING

// apply folds facts in the order given into an account whose day is today already.
func apply(t require.TestingT, a *health.Account, facts ...fact) *health.Account {
	a.Begin(today())
	for _, f := range number(facts) {
		require.Nil(t, a.Apply(f.ev, f.time()))
	}
	return a
}

// applyAt folds one of very many events: looking for the caller each time would take longer than folding.
func applyAt(t require.TestingT, a *health.Account, ev *eventv1.Event, at health.Time) {
	if r := a.Apply(ev, at); r != nil {
		require.Nil(t, r)
	}
}

// standard is the shipped standard scorecard for every account.
func standard(t require.TestingT, milestones ...scorecard.Milestone) *scorecard.Set {
	set := *scorecard.Shipped()
	cards := set.Cards
	set.Milestones = milestones
	set.Cards = cards[len(cards)-1:]
	require.Equal(t, "standard", set.Cards[0].Name)
	return &set
}

// again writes the account and reads it back.
func again(t require.TestingT, a *health.Account) *health.Account {
	parts := map[uint32][]byte{}
	main := a.Encode(func(n uint32, v []byte) { parts[n] = v }, func(n uint32) { delete(parts, n) })
	b, err := health.Decode(main, func(n uint32) []byte { return parts[n] })
	require.NoError(t, err)
	return b
}

func ofDay(t testing.TB, s string) health.Day {
	t.Helper()
	d, ok := health.ParseDay(s)
	require.True(t, ok)
	return d
}
