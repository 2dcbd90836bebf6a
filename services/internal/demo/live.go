package demo

import (
	"math/rand/v2"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Live makes the events that go on after the history. It is not safe for concurrent use.
type Live struct {
	portfolio *Portfolio
	random    *rand.Rand
	prefix    string
	made      int
	weights   []float64
	total     float64
}

// Live begins the live events of a portfolio. Run names this run: message ids of different runs
// must differ, or they would count as retries.
func (p *Portfolio) Live(run string) *Live {
	l := &Live{
		portfolio: p, random: p.config.random(streamLive, 0), prefix: "demo-" + run + "-",
		weights: make([]float64, len(p.Accounts)),
	}

	for i := range p.Accounts {
		a := &p.Accounts[i]
		if a.gone() {
			continue
		}

		l.weights[i] = float64(a.users) * a.Story.intensity(0, float64(p.config.Days))
		l.total += l.weights[i]
	}

	return l
}

// Next makes the event that happens at a time: the busier an account, the likelier it is its own.
func (l *Live) Next(at time.Time) *eventv1.Event {
	a := l.account()
	w := &writer{account: a, portfolio: l.portfolio, random: l.random, plot: a.Story.plot()}
	user := a.user(l.random.IntN(a.users))

	switch n := l.random.IntN(1000); {
	case n < 250:
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Login{Login: &eventv1.Login{Method: "password"}}
		})
	case n < 253:
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
				TicketId: a.ID + "-live-" + strconv.Itoa(l.made), Action: eventv1.Ticket_ACTION_OPENED, Severity: w.severity(),
			}}
		})
	case n < 257:
		score := w.answer(0, 10)
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{
				Type: eventv1.Survey_TYPE_NPS, Action: eventv1.Survey_ACTION_ANSWERED, Score: &score,
			}}
		})
	default:
		names := features()[:a.breadth]
		w.add(at, user, func(e *eventv1.Event) {
			e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: pick(l.random, names...)}}
		})
	}

	e := w.events[0]
	e.MessageId = l.prefix + strconv.Itoa(l.made)
	e.OccurredAt = timestamppb.New(at)
	l.made++

	return e
}

func (l *Live) account() *Account {
	n := l.random.Float64() * l.total

	for i := range l.weights {
		if n -= l.weights[i]; n < 0 {
			return &l.portfolio.Accounts[i]
		}
	}

	return &l.portfolio.Accounts[len(l.weights)-1]
}

// Group makes n events that happen one after another within the second before a time.
func (l *Live) Group(at time.Time, n int) []*eventv1.Event {
	events := make([]*eventv1.Event, 0, n)

	for i := range n {
		events = append(events, l.Next(at.Add(-time.Second+time.Duration(i+1)*time.Second/time.Duration(n))))
	}

	return events
}
