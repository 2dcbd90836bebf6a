package oracle

import (
	"slices"
	"strings"
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// longest is how many bytes an id or a name may have.
const longest = 1024

// content returns the code for which an event is refused whatever account it is about, or nothing.
func content(e *eventv1.Event) string {
	account := e.GetAccount()
	switch {
	case e.GetBody() == nil:
		return "missing_body"
	case e.GetUser() != nil && e.GetUserId() == "":
		return "missing_user"
	case account != nil && badDate(account):
		return "invalid_date"
	case account != nil && badClear(account):
		return "unknown_field"
	case len(e.GetUserId()) > longest,
		e.GetUsage() != nil && badUsage(e.GetUsage()),
		e.GetTicket() != nil && badTicket(e.GetTicket()),
		e.GetSurvey() != nil && badSurvey(e.GetSurvey()),
		e.GetUser() != nil && badUser(e.GetUser()),
		e.GetInteraction() != nil && badInteraction(e.GetInteraction()),
		account != nil && badField(account):
		return "invalid_value"
	default:
		return ""
	}
}

// named tells whether an id or name that is needed is there and not too long.
func named(s string) bool { return s != "" && len(s) <= longest }

// outside tells whether a number that may be absent is outside its range.
func outside[N int32 | int64](n *N, least, most N) bool { return n != nil && (*n < least || *n > most) }

func badUsage(u *eventv1.Usage) bool {
	return !named(u.GetFeature()) || outside(u.QuantityMicros, 0, 1_000_000_000_000_000)
}

func badTicket(t *eventv1.Ticket) bool {
	_, action := eventv1.Ticket_Action_name[int32(t.GetAction())]
	_, severity := eventv1.Ticket_Severity_name[int32(t.GetSeverity())]
	return !named(t.GetTicketId()) || !action || t.GetAction() == 0 || !severity || outside(t.Rating, 1, 5)
}

func badSurvey(s *eventv1.Survey) bool {
	scales := map[eventv1.Survey_Type][]int32{
		eventv1.Survey_TYPE_NPS: {10}, eventv1.Survey_TYPE_CSAT: {5, 7}, eventv1.Survey_TYPE_CES: {7},
	}[s.GetType()]
	if scales == nil || (s.GetScale() != 0 && !slices.Contains(scales, s.GetScale())) {
		return true
	}
	switch s.GetAction() {
	case eventv1.Survey_ACTION_SENT:
		return false
	case eventv1.Survey_ACTION_ANSWERED:
		least, most := int32(1), scales[0]
		if s.GetType() == eventv1.Survey_TYPE_NPS {
			least = 0
		}
		if s.GetScale() != 0 {
			most = s.GetScale()
		}
		return s.Score == nil || outside(s.Score, least, most)
	case eventv1.Survey_ACTION_UNSPECIFIED:
	}
	return true
}

func badUser(u *eventv1.User) bool {
	return len(u.GetPreviousUserId()) > longest || len(u.GetRole()) > longest
}

func badInteraction(i *eventv1.Interaction) bool {
	_, kind := eventv1.Interaction_Kind_name[int32(i.GetKind())]
	return !kind || outside(i.Pulse, 1, 5) || (i.GetKind() == 0 && i.Pulse == nil)
}

func badDate(a *eventv1.Account) bool {
	for _, date := range []*string{a.RenewalDate, a.CreatedDate, a.ChurnDate} {
		if date == nil {
			continue
		}
		if _, err := time.Parse(time.DateOnly, *date); err != nil {
			return true
		}
	}
	return false
}

func badClear(a *eventv1.Account) bool {
	fields := []string{
		"name", "plan", "arr", "arr_micros", "currency", "seats", "renewal_date", "term_days", "created_date", "owner",
		"segment", "industry", "parent", "stage", "churn_date",
	}
	return slices.ContainsFunc(a.GetClear(), func(name string) bool {
		trait, ok := strings.CutPrefix(name, "traits.")
		return !slices.Contains(fields, name) && (!ok || !named(trait))
	})
}

func badField(a *eventv1.Account) bool {
	stages := []string{"onboarding", "adopting", "renewal", "steady"}
	return outside(a.ArrMicros, 0, 1_000_000_000_000_000_000) || outside(a.Seats, 0, 1_000_000_000) ||
		outside(a.TermDays, 1, 36_500) ||
		(a.Stage != nil && !slices.Contains(stages, a.GetStage())) ||
		slices.ContainsFunc(a.GetTraits(), func(t *eventv1.Trait) bool { return !named(t.GetName()) || t.GetValue() == nil })
}
