package oracle

import (
	"strings"

	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// genAny draws what happened, good mostly.
func genAny(t *rapid.T, base Day) *eventv1.Event {
	if chance(t, "bad", 4) {
		return genBad(t, base)
	}
	return genBody(t, base)
}

// genBad draws an event that is refused for what it says: a good one with one fault.
func genBad(t *rapid.T, base Day) *eventv1.Event {
	switch one(t, "fault", "content", "no user", "no body", "content") {
	case "no user":
		return &eventv1.Event{Body: &eventv1.Event_User{User: genUser(t)}}
	case "no body":
		return &eventv1.Event{UserId: one(t, "user", "", "u1")}
	}
	e := genBody(t, base)
	long := strings.Repeat("x", longest+1)
	switch b := e.GetBody().(type) {
	case *eventv1.Event_Usage:
		spoilUsage(t, b.Usage, long)
	case *eventv1.Event_Login:
		e.UserId = long
	case *eventv1.Event_Ticket:
		spoilTicket(t, b.Ticket, long)
	case *eventv1.Event_Survey:
		spoilSurvey(t, b.Survey)
	case *eventv1.Event_Account:
		spoilAccount(t, b.Account, long)
	case *eventv1.Event_User:
		spoilUser(t, e, long)
	case *eventv1.Event_Interaction:
		spoilInteraction(t, b.Interaction)
	}
	return e
}

func spoilUsage(t *rapid.T, u *eventv1.Usage, long string) {
	switch one(t, "fault", "feature", "long", "negative", "much") {
	case "feature":
		u.Feature = ""
	case "long":
		u.Feature = long
	case "negative":
		u.QuantityMicros = new(int64(-1))
	case "much":
		u.QuantityMicros = new(int64(1_000_000_000_000_001))
	}
}

func spoilTicket(t *rapid.T, k *eventv1.Ticket, long string) {
	switch one(t, "fault", "id", "long", "action", "severity", "rating") {
	case "id":
		k.TicketId = ""
	case "long":
		k.TicketId = long
	case "action":
		k.Action = one[eventv1.Ticket_Action](t, "action", 0, 7, -1)
	case "severity":
		k.Severity = one[eventv1.Ticket_Severity](t, "severity", 5, -1)
	case "rating":
		k.Rating = new(one[int32](t, "rating", 0, 6))
	}
}

func spoilSurvey(t *rapid.T, s *eventv1.Survey) {
	switch one(t, "fault", "type", "action", "scale", "score", "none") {
	case "type":
		s.Type = one[eventv1.Survey_Type](t, "survey", 0, 4)
	case "action":
		s.Action = one[eventv1.Survey_Action](t, "step", 0, 3)
	case "scale":
		s.Scale = one[int32](t, "scale", 6, -1, 100)
	case "score":
		s.Action, s.Score = eventv1.Survey_ACTION_ANSWERED, new(one[int32](t, "answer", -1, 11))
	case "none":
		s.Action, s.Score = eventv1.Survey_ACTION_ANSWERED, nil
	}
}

func spoilAccount(t *rapid.T, a *eventv1.Account, long string) {
	date := new(one(t, "date", "2024-02-30", "", "2024-13-01", "2024-2-3", "soon", "2023-02-29"))
	switch one(t, "fault", "renewal", "created", "churn", "clear", "trait", "number", "stage") {
	case "renewal":
		a.RenewalDate = date
	case "created":
		a.CreatedDate = date
	case "churn":
		a.ChurnDate = date
	case "clear":
		a.Clear = append(a.Clear, one(t, "cleared", "color", "traits.", "", "Name", "traits."+long))
	case "trait":
		a.Traits = append(a.Traits, one(t, "trait",
			&eventv1.Trait{Name: "tier"}, &eventv1.Trait{Value: &eventv1.Trait_Flag{}},
			&eventv1.Trait{Name: long, Value: &eventv1.Trait_Flag{}}))
	case "number":
		spoilNumber(t, a)
	case "stage":
		a.Stage = new(one(t, "stage", "churned", "", "Steady"))
	}
}

func spoilNumber(t *rapid.T, a *eventv1.Account) {
	switch one(t, "number", "seats", "arr", "term") {
	case "seats":
		a.Seats = new(one[int64](t, "seats", -1, 1_000_000_001))
	case "arr":
		a.ArrMicros = new(one[int64](t, "arr", -1, 1_000_000_000_000_000_001))
	case "term":
		a.TermDays = new(one[int32](t, "term", 0, 36_501))
	}
}

func spoilUser(t *rapid.T, e *eventv1.Event, long string) {
	switch one(t, "fault", "long", "role", "previous") {
	case "long":
		e.UserId = long
	case "role":
		e.GetUser().Role = &long
	case "previous":
		e.GetUser().PreviousUserId = long
	}
}

func spoilInteraction(t *rapid.T, i *eventv1.Interaction) {
	switch one(t, "fault", "kind", "pulse", "nothing") {
	case "kind":
		i.Kind = one[eventv1.Interaction_Kind](t, "touch", 5, -1)
	case "pulse":
		i.Pulse = new(one[int32](t, "pulse", 0, 6))
	case "nothing":
		i.Kind, i.Pulse = 0, nil
	}
}
