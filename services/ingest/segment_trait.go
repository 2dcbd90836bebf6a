package ingest

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	maxTraits    = 100
	maxTraitName = 128
	maxTraitText = 1024
	monthsOfYear = 12
)

// userTraits fills a user from the traits of an identify call.
func (s *segment) userTraits(u *eventv1.User, ms []member) {
	var first, last string

	for _, m := range ms {
		text, isText := looseText(m.value)

		switch {
		case m.name == "role" && isText && len(text) <= maxMethod:
			u.Role = &text
		case m.name == "role" && m.value.kind == jsontext.KindNull:
			u.Role = new(string)
		case m.name == "name" && isText && len(text) <= 2*maxID:
			u.Name = &text
		case isText && isOneOf(m.name, "firstName", "first_name"):
			first = text
		case isText && isOneOf(m.name, "lastName", "last_name"):
			last = text
		default:
			u.Traits = s.addTrait(u.Traits, m)
		}
	}

	if full := strings.TrimSpace(first + " " + last); u.Name == nil && full != "" && len(full) <= 2*maxID {
		u.Name = &full
	}
}

func isOneOf(s string, names ...string) bool {
	return slices.Contains(names, s)
}

// accountTraits fills a profile from the traits of a group call. A trait that does not fit its field is kept as a
// trait; null clears.
func (s *segment) accountTraits(a *eventv1.Account, ms []member) {
	for _, m := range ms {
		field := profileField(m.name)

		switch {
		case m.value.kind == jsontext.KindNull:
			s.clear(a, field, m.name)
		case field == "" || !setProfile(a, field, m.value):
			a.Traits = s.addTrait(a.Traits, m)
		}
	}
}

// clear notes that a field or trait is gone.
func (s *segment) clear(a *eventv1.Account, field, name string) {
	switch {
	case len(a.GetClear()) >= maxTraits || len(name) > maxTraitName || name == "":
		s.dropped++
	case field == "":
		a.Clear = append(a.Clear, traitPrefix+name)
	case field == "mrr":
		a.Clear = append(a.Clear, "arr_micros")
	default:
		a.Clear = append(a.Clear, field)
	}
}

// profileField returns the field of the profile that a trait of a group call fills; "" if none.
func profileField(trait string) string {
	switch trait {
	case "name", "plan", "currency", "industry", "owner", "segment", "stage", "seats":
		return trait
	case "arr", "annualRecurringRevenue", "annual_recurring_revenue":
		return "arr_micros"
	case "mrr", "monthlyRecurringRevenue", "monthly_recurring_revenue", "monthlySpend", "monthly_spend":
		return "mrr"
	case "seatCount", "seat_count", "licenses", "licensedSeats":
		return "seats"
	case "createdAt", "created_at", "createdDate", "created_date":
		return "created_date"
	case "renewalDate", "renewal_date", "renewalAt", "renewal_at", "renewsAt", "renews_at":
		return "renewal_date"
	case "churnDate", "churn_date", "churnedAt", "churned_at":
		return "churn_date"
	case "termDays", "term_days":
		return "term_days"
	case "accountOwner", "account_owner", "csm":
		return "owner"
	case "parent_id", "parentId", "parent", "parentAccount", "parent_account":
		return "parent"
	default:
		return ""
	}
}

// setProfile sets a field; false if the value does not fit. A number out of range fits: it is refused later.
func setProfile(a *eventv1.Account, field string, v value) bool {
	switch field {
	case "arr_micros", "mrr", "seats", "term_days":
		return setProfileNumber(a, field, v)
	case "created_date", "renewal_date", "churn_date":
		day, ok := looseDay(v)
		if ok {
			*profileDay(a, field) = &day
		}

		return ok
	}

	text, ok := looseText(v)
	if !ok {
		return false
	}

	switch field {
	case "currency":
		if text = strings.ToUpper(text); !isCurrency(text) {
			return false
		}
	case "stage":
		if text = strings.ToLower(text); !isOneOf(text, "onboarding", "adopting", "renewal", "steady") {
			return false
		}
	}

	if len(text) > maxID && (field != "name" || len(text) > 2*maxID) {
		return false
	}

	*accountText(a, field) = &text

	return true
}

// isCurrency tells whether a text is written like a code of ISO 4217.
func isCurrency(s string) bool {
	for _, c := range []byte(s) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}

	return len(s) == 3
}

func profileDay(a *eventv1.Account, field string) **string {
	switch field {
	case "created_date":
		return &a.CreatedDate
	case "renewal_date":
		return &a.RenewalDate
	default:
		return &a.ChurnDate
	}
}

// setProfileNumber sets a number. A yearly revenue is worth more than twelve times a monthly one, in any order.
func setProfileNumber(a *eventv1.Account, field string, v value) bool {
	m, ok := looseNumber(v)
	if !ok {
		return false
	}

	switch field {
	case "arr_micros":
		a.ArrMicros = &m
	case "mrr":
		if m > maxUsage*1000/monthsOfYear {
			return false
		}

		if m = max(m, -1) * monthsOfYear; a.ArrMicros == nil { // any negative one is refused
			a.ArrMicros = &m
		}
	case "seats":
		if m%micro != 0 {
			return false
		}

		n := m / micro
		a.Seats = &n
	default:
		n := int32(max(0, min(m/micro, 1<<30)))
		a.TermDays = &n
	}

	return true
}

// addTrait keeps any other trait. An object or array is kept as its JSON. What cannot be kept is counted.
func (s *segment) addTrait(traits []*eventv1.Trait, m member) []*eventv1.Trait {
	if m.value.kind == jsontext.KindNull {
		return traits
	}

	if m.value.kind == jsontext.KindBeginObject || m.value.kind == jsontext.KindBeginArray {
		m.value.kind = jsontext.KindString
	}

	t, bad := asTrait(m, "")
	if bad != nil || len(traits) >= maxTraits || m.name == "" || len(m.name) > maxTraitName ||
		len(t.GetText()) > maxTraitText {
		s.dropped++

		return traits
	}

	return append(traits, t)
}
