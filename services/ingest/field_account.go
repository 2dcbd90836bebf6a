package ingest

import (
	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// traitPrefix stands before a trait's name where fields are listed.
const traitPrefix = "traits."

func setAccount(a *eventv1.Account, name string, v value) (bad *violation) {
	if text := accountText(a, name); text != nil {
		*text, bad = pointer(v.asText(name))

		return bad
	}

	switch name {
	case "arr":
		a.ArrMicros, bad = pointer(v.asMicros(name))
	case "seats":
		a.Seats, bad = pointer(v.asInt(name))
	case "term_days":
		a.TermDays, bad = pointer(v.asInt32(name))
	case "renewal_date":
		a.RenewalDate, bad = pointer(v.asDay(name))
	case "created_date":
		a.CreatedDate, bad = pointer(v.asDay(name))
	case "churn_date":
		a.ChurnDate, bad = pointer(v.asDay(name))
	case fieldTraits:
		var cleared []string
		a.Traits, cleared, bad = asTraits(v)
		a.Clear = append(a.Clear, cleared...)
	default:
		return unknownField(name)
	}

	return bad
}

// accountText returns the place of a text field; nil if the field is none.
func accountText(a *eventv1.Account, name string) **string {
	switch name {
	case "name":
		return &a.Name
	case "plan":
		return &a.Plan
	case "currency":
		return &a.Currency
	case "owner":
		return &a.Owner
	case "segment":
		return &a.Segment
	case "industry":
		return &a.Industry
	case "parent":
		return &a.Parent
	case "stage":
		return &a.Stage
	default:
		return nil
	}
}

// asTraits takes an object of texts, numbers and booleans; null clears the trait.
func asTraits(v value) (traits []*eventv1.Trait, cleared []string, bad *violation) {
	if v.kind != jsontext.KindBeginObject {
		return nil, nil, violates(fieldTraits, CodeInvalidType, "must be an object")
	}

	for _, m := range parseMembers(v) {
		field := traitPrefix + quotable(m.name)

		switch m.value.kind {
		case jsontext.KindNull:
			cleared = append(cleared, traitPrefix+m.name)

			continue
		case jsontext.KindBeginObject, jsontext.KindBeginArray:
			return nil, nil, violates(field, CodeInvalidType, "must be a string, a number, true or false")
		default:
		}

		t, bad := asTrait(m, field)
		if bad != nil {
			return nil, nil, bad
		}

		traits = append(traits, t)
	}

	return traits, cleared, nil
}

// asTrait takes one text, number or boolean.
func asTrait(m member, field string) (*eventv1.Trait, *violation) {
	t := &eventv1.Trait{Name: m.name}

	switch m.value.kind {
	case jsontext.KindNumber:
		n, bad := m.value.asMicros(field)
		if bad != nil {
			return nil, bad
		}

		t.Value = &eventv1.Trait_NumberMicros{NumberMicros: n}
	case jsontext.KindTrue, jsontext.KindFalse:
		t.Value = &eventv1.Trait_Flag{Flag: m.value.kind == jsontext.KindTrue}
	default:
		t.Value = &eventv1.Trait_Text{Text: m.value.text}
	}

	return t, nil
}
