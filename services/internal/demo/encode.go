package demo

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// AppendJSON appends an event in Hale's own JSON, the body of `POST /v1/events`, as one line
// without its end.
func AppendJSON(b []byte, e *eventv1.Event) []byte {
	o := object{b: append(b, '{')}
	o.text("type", kindOf(e))
	o.text("id", e.GetMessageId())
	o.text("account", e.GetAccountId())
	o.text("user", e.GetUserId())
	o.text("historical", e.GetHistorical())

	if at := e.GetOccurredAt(); at != nil {
		o.text("time", at.AsTime().Format(time.RFC3339Nano))
	}

	switch body := e.GetBody().(type) {
	case *eventv1.Event_Usage:
		o.text("feature", body.Usage.GetFeature())
		o.micros("quantity", body.Usage.QuantityMicros)
	case *eventv1.Event_Login:
		o.text("method", body.Login.GetMethod())
		o.flag("success", body.Login.Success)
	case *eventv1.Event_Ticket:
		o.text("ticket", body.Ticket.GetTicketId())
		o.enum("action", body.Ticket.GetAction().String(), "ACTION_")
		o.enum("severity", body.Ticket.GetSeverity().String(), "SEVERITY_")
		o.number("rating", body.Ticket.Rating)
	case *eventv1.Event_Survey:
		o.enum("survey", body.Survey.GetType().String(), "TYPE_")
		o.enum("action", body.Survey.GetAction().String(), "ACTION_")
		o.number("score", body.Survey.Score)
		o.text("comment", body.Survey.GetComment())
	case *eventv1.Event_Account:
		o.account(body.Account)
	case *eventv1.Event_User:
		o.text("role", body.User.GetRole())
		o.text("name", body.User.GetName())
	case *eventv1.Event_Interaction:
		o.enum("kind", body.Interaction.GetKind().String(), "KIND_")
		o.number("pulse", body.Interaction.Pulse)
		o.text("author", body.Interaction.GetAuthor())
		o.text("note", body.Interaction.GetNote())
	}

	return append(o.b, '}')
}

// kindOf is the name of an event's kind.
func kindOf(e *eventv1.Event) string {
	switch e.GetBody().(type) {
	case *eventv1.Event_Usage:
		return "usage"
	case *eventv1.Event_Login:
		return "login"
	case *eventv1.Event_Ticket:
		return "ticket"
	case *eventv1.Event_Survey:
		return "survey"
	case *eventv1.Event_Account:
		return "account"
	case *eventv1.Event_User:
		return "user"
	case *eventv1.Event_Interaction:
		return "interaction"
	default:
		return ""
	}
}

// object is a JSON object that is being written. What is empty or unset is left out.
type object struct{ b []byte }

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}

	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, value string) {
	if value == "" {
		return
	}

	o.name(name)

	// Invalid UTF-8 would be replaced; the stories hold none.
	o.b, _ = jsontext.AppendQuote(o.b, value)
}

func (o *object) enum(name, value, prefix string) {
	if value = strings.TrimPrefix(value, prefix); value != "UNSPECIFIED" {
		o.text(name, strings.ToLower(value))
	}
}

func (o *object) number(name string, value *int32) {
	if value == nil {
		return
	}

	o.name(name)
	o.b = strconv.AppendInt(o.b, int64(*value), 10)
}

func (o *object) micros(name string, value *int64) {
	if value == nil {
		return
	}

	o.name(name)
	o.b = appendMicros(o.b, *value)
}

func (o *object) flag(name string, value *bool) {
	if value == nil {
		return
	}

	o.name(name)
	o.b = strconv.AppendBool(o.b, *value)
}

func (o *object) account(a *eventv1.Account) {
	o.text("name", a.GetName())
	o.text("plan", a.GetPlan())
	o.micros("arr", a.ArrMicros)
	o.text("currency", a.GetCurrency())

	if a.Seats != nil {
		o.name("seats")
		o.b = strconv.AppendInt(o.b, a.GetSeats(), 10)
	}

	o.text("renewal_date", a.GetRenewalDate())
	o.text("created_date", a.GetCreatedDate())
	o.text("owner", a.GetOwner())
	o.text("segment", a.GetSegment())
	o.text("industry", a.GetIndustry())

	if len(a.GetTraits()) == 0 {
		return
	}

	o.name("traits")

	traits := object{b: append(o.b, '{')}

	for _, t := range a.GetTraits() {
		switch v := t.GetValue().(type) {
		case *eventv1.Trait_Text:
			traits.text(t.GetName(), v.Text)
		case *eventv1.Trait_Flag:
			traits.flag(t.GetName(), &v.Flag)
		case *eventv1.Trait_NumberMicros:
			traits.micros(t.GetName(), &v.NumberMicros)
		}
	}

	traits.b = append(traits.b, '}')
	o.b = traits.b
}

// appendMicros writes millionths as a decimal number, without zeros at its end.
func appendMicros(b []byte, v int64) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}

	b = strconv.AppendInt(b, v/micros, 10)
	if v%micros == 0 {
		return b
	}

	fraction := strconv.FormatInt(micros+v%micros, 10)[1:]

	return append(append(b, '.'), strings.TrimRight(fraction, "0")...)
}
