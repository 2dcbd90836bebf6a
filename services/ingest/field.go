package ingest

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// setField sets a field of the event's body from a JSON value, by the field's name in native JSON (docs/events.md).
// The mapping of Segment's names uses the same names.
func setField(e *eventv1.Event, name string, v value) *violation {
	if v.kind == jsontext.KindNull {
		return clearField(e, name)
	}

	switch b := e.GetBody().(type) {
	case *eventv1.Event_Usage:
		return setUsage(b.Usage, name, v)
	case *eventv1.Event_Login:
		return setLogin(b.Login, name, v)
	case *eventv1.Event_Ticket:
		return setTicket(b.Ticket, name, v)
	case *eventv1.Event_Survey:
		return setSurvey(b.Survey, name, v)
	case *eventv1.Event_Account:
		return setAccount(b.Account, name, v)
	case *eventv1.Event_User:
		return setUser(b.User, name, v)
	case *eventv1.Event_Interaction:
		return setInteraction(b.Interaction, name, v)
	default:
		return unknownField(name)
	}
}

// clearField takes null: of an account it clears the field, elsewhere it is as if the field were absent.
func clearField(e *eventv1.Event, name string) *violation {
	if !slices.Contains(fieldNames(kindOf(e)), name) {
		return unknownField(name)
	}

	a := e.GetAccount()
	if a == nil {
		return nil
	}

	if name == fieldTraits {
		return violates(name, CodeInvalidType, "must be an object")
	}

	if name == "arr" {
		name = "arr_micros"
	}

	a.Clear = append(a.Clear, name)

	return nil
}

// fieldTraits is the one field that holds an object.
const fieldTraits = "traits"

// fieldNames lists the fields that setField takes for a kind.
func fieldNames(k kind) []string {
	switch k {
	case kindUsage:
		return []string{"feature", "quantity"}
	case kindLogin:
		return []string{"method", "success"}
	case kindTicket:
		return []string{"ticket", "action", "severity", "rating"}
	case kindSurvey:
		return []string{"survey", "action", "score", "scale", "comment"}
	case kindAccount:
		return []string{
			"name", "plan", "arr", "currency", "seats", "renewal_date", "term_days", "created_date", "owner",
			"segment", "industry", "parent", "stage", "churn_date", fieldTraits,
		}
	case kindUser:
		return []string{"role", "name", "previous", fieldTraits}
	case kindInteraction:
		return []string{"kind", "pulse", "author", "note"}
	case kindNone, kinds:
	}

	return nil
}

func unknownField(name string) *violation {
	return violates(quotable(name), CodeUnknownField, "the kind has no such field")
}

func setUsage(u *eventv1.Usage, name string, v value) (bad *violation) {
	switch name {
	case "feature":
		u.Feature, bad = v.asText(name)
	case "quantity":
		u.QuantityMicros, bad = pointer(v.asMicros(name))
	default:
		return unknownField(name)
	}

	return bad
}

func setLogin(l *eventv1.Login, name string, v value) (bad *violation) {
	switch name {
	case "method":
		l.Method, bad = v.asText(name)
	case "success":
		l.Success, bad = pointer(v.asBool(name))
	default:
		return unknownField(name)
	}

	return bad
}

func setTicket(t *eventv1.Ticket, name string, v value) (bad *violation) {
	switch name {
	case "ticket":
		t.TicketId, bad = v.asText(name)
	case "action":
		t.Action, bad = asEnum[eventv1.Ticket_Action](v, name, "ACTION_", eventv1.Ticket_Action_value)
	case "severity":
		t.Severity, bad = asEnum[eventv1.Ticket_Severity](v, name, "SEVERITY_", eventv1.Ticket_Severity_value)
	case "rating":
		t.Rating, bad = pointer(v.asInt32(name))
	default:
		return unknownField(name)
	}

	return bad
}

func setSurvey(s *eventv1.Survey, name string, v value) (bad *violation) {
	switch name {
	case "survey":
		s.Type, bad = asEnum[eventv1.Survey_Type](v, name, "TYPE_", eventv1.Survey_Type_value)
	case "action":
		s.Action, bad = asEnum[eventv1.Survey_Action](v, name, "ACTION_", eventv1.Survey_Action_value)
	case "score":
		s.Score, bad = pointer(v.asInt32(name))
	case "scale":
		s.Scale, bad = v.asInt32(name)
	case "comment":
		s.Comment, bad = v.asText(name)
	default:
		return unknownField(name)
	}

	return bad
}

func setUser(u *eventv1.User, name string, v value) (bad *violation) {
	switch name {
	case "role":
		u.Role, bad = pointer(v.asText(name))
	case "name":
		u.Name, bad = pointer(v.asText(name))
	case "previous":
		u.PreviousUserId, bad = v.asText(name)
	case fieldTraits:
		u.Traits, _, bad = asTraits(v)
	default:
		return unknownField(name)
	}

	return bad
}

func setInteraction(i *eventv1.Interaction, name string, v value) (bad *violation) {
	switch name {
	case "kind":
		i.Kind, bad = asEnum[eventv1.Interaction_Kind](v, name, "KIND_", eventv1.Interaction_Kind_value)
	case "pulse":
		i.Pulse, bad = pointer(v.asInt32(name))
	case "author":
		i.Author, bad = v.asText(name)
	case "note":
		i.Note, bad = v.asText(name)
	default:
		return unknownField(name)
	}

	return bad
}

// pointer passes a checked value on as an optional field.
func pointer[T any](v T, bad *violation) (*T, *violation) {
	if bad != nil {
		return nil, bad
	}

	return &v, nil
}

// asEnum takes the name of an enum value, written in lower case and without prefix.
func asEnum[E ~int32](v value, field, prefix string, values map[string]int32) (E, *violation) {
	s, bad := v.asText(field)
	if bad != nil {
		return 0, bad
	}

	n := values[prefix+strings.ToUpper(s)]
	if n == 0 || s != strings.ToLower(s) {
		return 0, violates(field, CodeInvalidValue, "must be one of "+enumNames(prefix, values))
	}

	return E(n), nil
}

// enumNames lists the values that asEnum takes.
func enumNames(prefix string, values map[string]int32) string {
	names := make([]string, len(values))
	for name, n := range values {
		names[n] = strings.ToLower(strings.TrimPrefix(name, prefix))
	}

	return strings.Join(names[1:], ", ")
}
