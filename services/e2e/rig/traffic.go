package rig

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Fact is an event as a program would send it, in the native JSON.
type Fact struct {
	ID       string  `json:"id"`
	Type     string  `json:"type"`
	Account  string  `json:"account"`
	User     string  `json:"user,omitempty"`
	Time     string  `json:"time"`
	Feature  string  `json:"feature,omitempty"`
	Quantity float64 `json:"quantity,omitempty"`
	Ticket   string  `json:"ticket,omitempty"`
	Action   string  `json:"action,omitempty"`
	Severity string  `json:"severity,omitempty"`
	Rating   int32   `json:"rating,omitempty"`
	Survey   string  `json:"survey,omitempty"`
	Score    *int32  `json:"score,omitempty"`
	Kind     string  `json:"kind,omitempty"`
	Pulse    int32   `json:"pulse,omitempty"`
	Seats    int64   `json:"seats,omitempty"`
	Role     string  `json:"role,omitempty"`

	at time.Time
}

// Traffic makes n facts of all kinds over some accounts, the same for the same seed and time. Nearly every fact moves a
// measure of its account, so that one lost or counted twice shows.
func Traffic(seed uint64, n, accounts int, now time.Time) []Fact {
	r := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // reproducible load, no secret
	facts := make([]Fact, n)
	for i := range facts {
		account := r.IntN(accounts)
		at := now.Add(-time.Duration(r.Int64N(int64(6 * 24 * time.Hour)))).UTC().Truncate(time.Millisecond)
		facts[i] = Fact{
			ID: fmt.Sprintf("fact-%d-%d", seed, i), Account: fmt.Sprintf("account-%d", account),
			User: fmt.Sprintf("user-%d-%d", account, r.IntN(40)), Time: at.Format(time.RFC3339Nano), at: at,
		}
		facts[i].fill(r, i)
	}
	return facts
}

// fill makes the fact one of a kind.
func (f *Fact) fill(r *rand.Rand, i int) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	upTo := func(n int32) *int32 { v := 1 + r.Int32N(n); return &v }
	switch k := r.IntN(20); {
	case k < 6:
		f.Type, f.Feature, f.Quantity = "usage", fmt.Sprintf("feature-%d", r.IntN(30)), float64(1+r.IntN(5))
	case k < 8:
		f.Type = "login"
	case k < 12:
		f.Type, f.Survey, f.Action, f.Score = "survey", "ces", "answered", upTo(7)
	case k < 14:
		f.Type, f.Survey, f.Action, f.Score = "survey", "csat", "answered", upTo(5)
	case k < 15:
		f.Type, f.Survey, f.Action = "survey", "nps", "sent"
	case k < 18:
		f.Type, f.Ticket = "ticket", fmt.Sprintf("ticket-%d", i/200) // tickets see several events
		f.Action = pick("opened", "closed", "reopened", "escalated", "updated")
		f.Severity = pick("low", "normal", "high", "urgent")
	case k < 19:
		f.Type, f.Kind, f.Pulse = "interaction", pick("meeting", "call"), *upTo(5)
	case r.IntN(2) == 0:
		f.Type, f.User, f.Seats = "account", "", 10+r.Int64N(90)
	default:
		f.Type, f.Role = "user", pick("champion", "admin", "member")
	}
}

// Happen sets the time at which the fact happened.
func (f *Fact) Happen(at time.Time) {
	f.at = at.UTC().Truncate(time.Millisecond)
	f.Time = f.at.Format(time.RFC3339Nano)
}

// Body is facts as one request of the native API.
func Body(facts []Fact) ([]byte, error) {
	b, err := json.Marshal(facts)
	if err != nil {
		return nil, fmt.Errorf("encoding %d facts: %w", len(facts), err)
	}
	return b, nil
}

// Event is the fact as the contracts define it.
func (f *Fact) Event() *eventv1.Event {
	e := &eventv1.Event{MessageId: f.ID, AccountId: f.Account, UserId: f.User, OccurredAt: timestamppb.New(f.at)}
	const million = 1_000_000
	switch f.Type {
	case "usage":
		quantity := int64(f.Quantity) * million
		e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: f.Feature, QuantityMicros: &quantity}}
	case "login":
		e.Body = &eventv1.Event_Login{Login: &eventv1.Login{}}
	case "survey":
		e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{
			Type: eventv1.Survey_Type(enum(eventv1.Survey_Type_value, "TYPE_", f.Survey)), Score: f.Score,
			Action: eventv1.Survey_Action(enum(eventv1.Survey_Action_value, "ACTION_", f.Action)),
		}}
	case "ticket":
		e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
			TicketId: f.Ticket, Action: eventv1.Ticket_Action(enum(eventv1.Ticket_Action_value, "ACTION_", f.Action)),
			Severity: eventv1.Ticket_Severity(enum(eventv1.Ticket_Severity_value, "SEVERITY_", f.Severity)),
		}}
	case "interaction":
		e.Body = &eventv1.Event_Interaction{Interaction: &eventv1.Interaction{
			Kind: eventv1.Interaction_Kind(enum(eventv1.Interaction_Kind_value, "KIND_", f.Kind)), Pulse: &f.Pulse,
		}}
	case "account":
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{Seats: &f.Seats}}
	case "user":
		e.Body = &eventv1.Event_User{User: &eventv1.User{Role: &f.Role}}
	}
	return e
}

func enum(values map[string]int32, prefix, name string) int32 {
	return values[prefix+strings.ToUpper(name)]
}
