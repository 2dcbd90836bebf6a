package oracle

import (
	"time"

	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// MilestoneFeatures are features that generated usage draws from and generated scorecards may name as
// milestones.
func MilestoneFeatures() []string { return []string{"invite", "report"} }

// one draws one of the options; the earlier ones a little more often.
func one[T any](t *rapid.T, label string, options ...T) T {
	return rapid.SampledFrom(options).Draw(t, label)
}

// chance is true in about percent of the draws, at most 80; shrinking makes it false. Draws prefer the ends
// of a range, so the middle decides.
func chance(t *rapid.T, label string, percent int) bool {
	n := rapid.IntRange(0, 99).Draw(t, label)
	return n >= 15 && n < 15+percent
}

// genBody draws what happened: an event without id, account and time. Dates lie around the base day.
func genBody(t *rapid.T, base Day) *eventv1.Event {
	e := &eventv1.Event{UserId: one(t, "user", "u1", "u2", "u3", "u4", "", "u5", "é")}
	kinds := []string{
		"usage", "login", "ticket", "survey", "account", "user", "interaction", "usage", "login", "ticket", "survey",
		"seats", "leave", "return",
	}
	switch one(t, "kind", kinds...) {
	case "usage":
		e.Body = &eventv1.Event_Usage{Usage: genUsage(t)}
	case "login":
		e.Body = &eventv1.Event_Login{Login: genLogin(t)}
	case "ticket":
		e.Body = &eventv1.Event_Ticket{Ticket: genTicket(t)}
	case "survey":
		e.Body = &eventv1.Event_Survey{Survey: genSurvey(t)}
	case "account":
		e.Body = &eventv1.Event_Account{Account: genAccount(t, base)}
	case "seats":
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{Seats: new(rapid.Int64Range(1, 9).Draw(t, "seats"))}}
	case "leave":
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{ChurnDate: genDate(t, "left", base-5, base+60)}}
	case "return":
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{Clear: []string{"churn_date"}}}
	case "user":
		e.UserId = one(t, "user", "u1", "u2", "u3", "u4", "u5") // such an event needs one
		e.Body = &eventv1.Event_User{User: genUser(t)}
	case "interaction":
		e.Body = &eventv1.Event_Interaction{Interaction: genInteraction(t)}
	}
	return e
}

func genUsage(t *rapid.T) *eventv1.Usage {
	u := &eventv1.Usage{Feature: one(t, "feature", append(MilestoneFeatures(), "f1", "f2", "f3", "f4")...)}
	if chance(t, "has quantity", 40) {
		u.QuantityMicros = new(one[int64](t, "quantity", 1_000_000, 0, 1, 3_333_333, 250_000, 1_000_000_000_000_000))
	}
	return u
}

func genLogin(t *rapid.T) *eventv1.Login {
	l := &eventv1.Login{Method: one(t, "method", "", "sso")}
	if chance(t, "has success", 40) {
		l.Success = new(rapid.Bool().Draw(t, "success"))
	}
	return l
}

func genTicket(t *rapid.T) *eventv1.Ticket {
	k := &eventv1.Ticket{
		TicketId: one(t, "ticket", "t1", "t2", "t3"),
		Action: one(t, "action",
			eventv1.Ticket_ACTION_OPENED, eventv1.Ticket_ACTION_CLOSED, eventv1.Ticket_ACTION_OPENED,
			eventv1.Ticket_ACTION_CLOSED, eventv1.Ticket_ACTION_CLOSED, eventv1.Ticket_ACTION_REOPENED,
			eventv1.Ticket_ACTION_UPDATED, eventv1.Ticket_ACTION_ESCALATED, eventv1.Ticket_ACTION_FIRST_REPLY),
		Severity: eventv1.Ticket_Severity(rapid.Int32Range(0, 4).Draw(t, "severity")),
	}
	if chance(t, "has rating", 25) {
		k.Rating = new(rapid.Int32Range(1, 5).Draw(t, "rating"))
	}
	return k
}

func genSurvey(t *rapid.T) *eventv1.Survey {
	s := &eventv1.Survey{
		Type:   one(t, "survey", eventv1.Survey_TYPE_NPS, eventv1.Survey_TYPE_CSAT, eventv1.Survey_TYPE_CES),
		Action: one(t, "step", eventv1.Survey_ACTION_ANSWERED, eventv1.Survey_ACTION_SENT),
	}
	low, high := int32(1), int32(7)
	switch s.GetType() {
	case eventv1.Survey_TYPE_NPS:
		low, high = 0, 10
		s.Scale = one[int32](t, "nps scale", 0, 10)
	case eventv1.Survey_TYPE_CSAT:
		s.Scale = one[int32](t, "csat scale", 0, 5, 7)
		high = max(5, s.GetScale())
	case eventv1.Survey_TYPE_CES:
		s.Scale = one[int32](t, "ces scale", 0, 7)
	case eventv1.Survey_TYPE_UNSPECIFIED:
	}
	if s.GetAction() == eventv1.Survey_ACTION_ANSWERED {
		s.Score = new(rapid.Int32Range(low, high).Draw(t, "answer"))
	}
	return s
}

func genUser(t *rapid.T) *eventv1.User {
	u := &eventv1.User{}
	if chance(t, "has role", 70) {
		u.Role = new(one(t, "role", "champion", "admin", ""))
	}
	if chance(t, "is alias", 30) {
		u.PreviousUserId = one(t, "previous", "u1", "u2", "u3", "u4", "u5", "anonymous-1")
	}
	return u
}

func genInteraction(t *rapid.T) *eventv1.Interaction {
	i := &eventv1.Interaction{Kind: eventv1.Interaction_Kind(rapid.Int32Range(0, 4).Draw(t, "touch"))}
	if i.GetKind() == 0 || chance(t, "has pulse", 30) {
		i.Pulse = new(rapid.Int32Range(1, 5).Draw(t, "pulse"))
		i.Author, i.Note = one(t, "pulse author", "", "jo"), one(t, "note", "", "they grow")
	}
	return i
}

// genAccount draws a change of the profile.
func genAccount(t *rapid.T, base Day) *eventv1.Account {
	a := &eventv1.Account{}
	fields := rapid.SliceOfNDistinct(rapid.SampledFrom(profileFields()), 0, 5, rapid.ID[string]).Draw(t, "fields")
	for _, field := range fields {
		clears := chance(t, "clear "+field, 25)
		if clears {
			a.Clear = append(a.Clear, field)
		}
		if !clears || chance(t, "set "+field, 20) {
			setField(t, a, field, base)
		}
	}
	return a
}

// profileFields are those that a generated change draws from; some twice, because more depends on them.
func profileFields() []string {
	return []string{
		"seats", "plan", "created_date", "renewal_date", "stage", "term_days", "churn_date", "name", "arr_micros",
		"currency", "owner", "segment", "industry", "parent", "traits.tier", "traits.risk", "traits.beta",
	}
}

func setField(t *rapid.T, a *eventv1.Account, field string, base Day) {
	text := func(options ...string) *string { return new(one(t, field, options...)) }
	switch field {
	case "seats":
		a.Seats = new(one[int64](t, field, 3, 10, 1, 0, 7, 1_000_000_000))
	case "arr_micros":
		a.ArrMicros = new(one[int64](t, field, 120_000_000_000, 0, 1, 1_000_000_000_000_000_000))
	case "term_days":
		a.TermDays = new(one[int32](t, field, 365, 90, 91, 30))
	case "created_date":
		a.CreatedDate = genDate(t, field, base-300, base+60)
	case "renewal_date":
		a.RenewalDate = genDate(t, field, base-30, base+500)
	case "churn_date":
		a.ChurnDate = genDate(t, field, base-30, base+400)
	case "stage":
		a.Stage = text("onboarding", "adopting", "renewal", "steady")
	case "plan":
		a.Plan = text("pro", "free", "")
	case "currency":
		a.Currency = text("EUR", "USD")
	case "name":
		a.Name = text("Acme", "", "Zoë")
	case "owner":
		a.Owner = text("kim", "")
	case "segment":
		a.Segment = text("smb", "enterprise")
	case "industry":
		a.Industry = text("retail", "health")
	case "parent":
		a.Parent = text("", "holding")
	default:
		a.Traits = append(a.Traits, genTrait(t, field))
	}
}

func genTrait(t *rapid.T, field string) *eventv1.Trait {
	trait := &eventv1.Trait{Name: field[len("traits."):]}
	switch one(t, "trait", "text", "number", "flag") {
	case "text":
		trait.Value = &eventv1.Trait_Text{Text: one(t, field, "gold", "")}
	case "number":
		trait.Value = &eventv1.Trait_NumberMicros{NumberMicros: one[int64](t, field, 2_500_000, -1, 0)}
	case "flag":
		trait.Value = &eventv1.Trait_Flag{Flag: rapid.Bool().Draw(t, field)}
	}
	return trait
}

func genDate(t *rapid.T, label string, from, to Day) *string {
	d := rapid.Int64Range(int64(from), int64(to)).Draw(t, label)
	return new(time.Unix(d*24*3600, 0).UTC().Format(time.DateOnly))
}

// genID draws the start of a message id, so that ids do not sort as they came.
func genID(t *rapid.T) string {
	return one(t, "id", "m", "a", "Z", "é", "0")
}
