package oracle_test

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"

	"hale.dev/services/internal/oracle"
)

const (
	second int64 = 1_000_000
	hour         = 3600 * second
	day          = 24 * hour

	today oracle.Day = 20_000
)

// facts gathers events of one account, numbering their message ids.
type facts struct{ events []oracle.Timed }

// at adds an event on the day that lies back days before today, so many microseconds into it.
func (f *facts) at(back, into int64, user string, body *eventv1.Event) *facts {
	at := (int64(today)-back)*day + into
	body.MessageId = fmt.Sprintf("m%03d", len(f.events))
	body.AccountId, body.UserId = "acme", user
	body.OccurredAt = stamp(at)
	f.events = append(f.events, oracle.Timed{Event: body, Time: at})
	return f
}

// on adds an event at noon.
func (f *facts) on(back int64, user string, body *eventv1.Event) *facts {
	return f.at(back, 12*hour, user, body)
}

func stamp(micros int64) *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: micros / second, Nanos: int32(micros % second * 1000)}
}

func usage(feature string) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: feature}}}
}

func quantity(micros int64) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Usage{
		Usage: &eventv1.Usage{Feature: "f", QuantityMicros: &micros},
	}}
}

func login() *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Login{Login: &eventv1.Login{}}}
}

func failedLogin() *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Login{Login: &eventv1.Login{Success: new(false)}}}
}

func profile(a *eventv1.Account) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Account{Account: a}}
}

func seats(n int64) *eventv1.Event { return profile(&eventv1.Account{Seats: &n}) }

func ticket(id string, action eventv1.Ticket_Action) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{TicketId: id, Action: action}}}
}

func severe(id string, severity eventv1.Ticket_Severity) *eventv1.Event {
	e := ticket(id, eventv1.Ticket_ACTION_UPDATED)
	e.GetTicket().Severity = severity
	return e
}

func rated(id string, rating int32) *eventv1.Event {
	e := ticket(id, eventv1.Ticket_ACTION_UPDATED)
	e.GetTicket().Rating = &rating
	return e
}

func sent(of eventv1.Survey_Type) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Survey{
		Survey: &eventv1.Survey{Type: of, Action: eventv1.Survey_ACTION_SENT},
	}}
}

func answer(of eventv1.Survey_Type, score, scale int32) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Survey{Survey: &eventv1.Survey{
		Type: of, Action: eventv1.Survey_ACTION_ANSWERED, Score: &score, Scale: scale,
	}}}
}

func role(name string) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_User{User: &eventv1.User{Role: &name}}}
}

func alias(previous string) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_User{User: &eventv1.User{PreviousUserId: previous}}}
}

func touch(kind eventv1.Interaction_Kind, pulse *int32) *eventv1.Event {
	return &eventv1.Event{Body: &eventv1.Event_Interaction{
		Interaction: &eventv1.Interaction{Kind: kind, Pulse: pulse},
	}}
}

// event makes a record of an event of account acme in workspace w.
func event(id string, at int64, body *eventv1.Event) *logv1.Record {
	body.MessageId, body.AccountId, body.OccurredAt = id, "acme", stamp(at)
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_Event{Event: body}}
}

// history makes a record of an event of a historical load.
func history(load, id string, at int64, body *eventv1.Event) *logv1.Record {
	r := event(id, at, body)
	r.GetEvent().Historical = load
	return r
}

func closeLoad(load string) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_CloseLoad{
		CloseLoad: &logv1.CloseLoad{Historical: load},
	}}
}

func scorecards(version uint64, document string) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetScorecards{
		SetScorecards: &logv1.SetScorecards{Version: version, Document: []byte(document)},
	}}
}

func message(at int64, records ...*logv1.Record) oracle.Message {
	return oracle.Message{Time: at, Records: records}
}

// describe writes events one a line, so that a failing example can be read.
func describe(events []oracle.Timed) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "\n%s+%dus %v", text(oracle.DayOf(e.Time)), e.Time%day, e.Event)
	}
	return b.String()
}
