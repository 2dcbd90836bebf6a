package health

import (
	"strings"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// Refusal says why an event does not apply. Nothing of a refused event is in the state.
type Refusal struct {
	// Code is the stable reason.
	Code string
	// Field is the path of the field that is wrong; empty for the event as a whole.
	Field string
	// Message says it to a person.
	Message string
}

// Codes of refusals.
const (
	CodeTooManyTickets = "too_many_tickets"
	CodeTooManyRoles   = "too_many_roles"
	CodeTooManyAliases = "too_many_aliases"
	CodeTooManyTraits  = "too_many_traits"
	CodeTooManyGoals   = "too_many_goals"
	CodeInvalidDate    = "invalid_date"
	CodeInvalidValue   = "invalid_value"
	CodeMissingBody    = "missing_body"
	CodeMissingUser    = "missing_user"
	CodeUnknownField   = "unknown_field"
)

// String returns field and reason as text.
func (r *Refusal) String() string {
	if r.Field == "" {
		return r.Message
	}
	return r.Field + ": " + r.Message
}

func invalid(field, message string) *Refusal { return &Refusal{CodeInvalidValue, field, message} }

// maxID bounds ids and names of features, bytes. Ingest is stricter; this keeps the core safe.
const maxID = 1024

// Check looks for what is wrong with an event whatever account it goes to; nil: nothing.
func Check(ev *eventv1.Event) *Refusal {
	if len(ev.GetUserId()) > maxID {
		return invalid("user_id", "is longer than 1,024 bytes")
	}
	switch b := ev.GetBody().(type) {
	case *eventv1.Event_Usage:
		return checkUsage(b.Usage)
	case *eventv1.Event_Login:
		return nil
	case *eventv1.Event_Ticket:
		return checkTicket(b.Ticket)
	case *eventv1.Event_Survey:
		return checkSurvey(b.Survey)
	case *eventv1.Event_Account:
		return checkAccount(b.Account)
	case *eventv1.Event_User:
		return checkUser(ev.GetUserId(), b.User)
	case *eventv1.Event_Interaction:
		return checkInteraction(b.Interaction)
	}
	return &Refusal{CodeMissingBody, "", "has no body this version knows"}
}

func checkUsage(u *eventv1.Usage) *Refusal {
	switch name, quantity := u.GetFeature(), u.GetQuantityMicros(); {
	case name == "" || len(name) > maxID:
		return invalid("usage.feature", "must have 1 to 1,024 bytes")
	case quantity < 0 || quantity > maxQuantity:
		return invalid("usage.quantity_micros", "must be 0 to 10^15")
	}
	return nil
}

func checkTicket(e *eventv1.Ticket) *Refusal {
	switch id := e.GetTicketId(); {
	case id == "" || len(id) > maxID:
		return invalid("ticket.ticket_id", "must have 1 to 1,024 bytes")
	case e.GetAction() < eventv1.Ticket_ACTION_OPENED || e.GetAction() > eventv1.Ticket_ACTION_CLOSED:
		return invalid("ticket.action", "is unknown")
	case e.GetSeverity() < 0 || e.GetSeverity() > eventv1.Ticket_SEVERITY_URGENT:
		return invalid("ticket.severity", "is unknown")
	case e.Rating != nil && (e.GetRating() < 1 || e.GetRating() > 5):
		return invalid("ticket.rating", "must be 1 to 5")
	}
	return nil
}

func checkSurvey(s *eventv1.Survey) *Refusal {
	scale, r := surveyScale(s)
	if r != nil {
		return r
	}
	switch s.GetAction() {
	case eventv1.Survey_ACTION_SENT:
		return nil
	case eventv1.Survey_ACTION_ANSWERED:
		least := int32(1)
		if s.GetType() == eventv1.Survey_TYPE_NPS {
			least = 0
		}
		if s.Score == nil || s.GetScore() < least || s.GetScore() > scale {
			return invalid("survey.score", "must be inside its scale: nps 0..10, csat 1..5 or 1..7, ces 1..7")
		}
		return nil
	case eventv1.Survey_ACTION_UNSPECIFIED:
	}
	return invalid("survey.action", "is unknown")
}

// surveyScale returns the largest answer of the survey.
func surveyScale(s *eventv1.Survey) (int32, *Refusal) {
	scale := s.GetScale()
	switch s.GetType() {
	case eventv1.Survey_TYPE_NPS:
		if scale == 0 || scale == 10 {
			return 10, nil
		}
	case eventv1.Survey_TYPE_CSAT:
		if scale == 0 || scale == 5 {
			return 5, nil
		}
		if scale == 7 {
			return 7, nil
		}
	case eventv1.Survey_TYPE_CES:
		if scale == 0 || scale == 7 {
			return 7, nil
		}
	case eventv1.Survey_TYPE_UNSPECIFIED:
		return 0, invalid("survey.type", "is unknown")
	default:
		return 0, invalid("survey.type", "is unknown")
	}
	return 0, invalid("survey.scale", "must be 10 for nps, 5 or 7 for csat, 7 for ces")
}

func checkAccount(e *eventv1.Account) *Refusal {
	var buffer [fieldCount]change
	if _, r := accountChanges(buffer[:0], e); r != nil {
		return r
	}
	for _, name := range e.GetClear() {
		if _, ok := fieldOf(name); ok {
			continue
		}
		if trait, ok := strings.CutPrefix(name, traitPrefix); !ok || trait == "" || len(trait) > maxID {
			return &Refusal{CodeUnknownField, "account.clear", "names no field of an account: " + name}
		}
	}
	for _, t := range e.GetTraits() {
		if t.GetName() == "" || len(t.GetName()) > maxID || t.GetValue() == nil {
			return invalid("account.traits", "needs a name and a value")
		}
	}
	return nil
}

func checkUser(id string, u *eventv1.User) *Refusal {
	switch {
	case id == "":
		return &Refusal{CodeMissingUser, "user_id", "names no user"}
	case len(u.GetPreviousUserId()) > maxID:
		return invalid("user.previous_user_id", "is longer than 1,024 bytes")
	case len(u.GetRole()) > maxID:
		return invalid("user.role", "is longer than 1,024 bytes")
	}
	return nil
}

func checkInteraction(i *eventv1.Interaction) *Refusal {
	switch {
	case i.GetKind() < 0 || i.GetKind() > eventv1.Interaction_KIND_BUSINESS_REVIEW:
		return invalid("interaction.kind", "is unknown")
	case i.Pulse != nil && (i.GetPulse() < 1 || i.GetPulse() > 5):
		return invalid("interaction.pulse", "must be 1 to 5")
	case i.GetKind() == eventv1.Interaction_KIND_UNSPECIFIED && i.Pulse == nil:
		return invalid("interaction", "needs a kind, a pulse, or both")
	}
	return nil
}
