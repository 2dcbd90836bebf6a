package health

import (
	"strings"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/scorecard"
)

const traitPrefix = "traits."

// change is one value that an account event sets.
type change struct {
	field  field
	number int64
	text   string
}

func (a *Account) addAccount(ev *eventv1.Event, e *eventv1.Account, at Time) {
	var buffer [fieldCount]change
	changes, _ := accountChanges(buffer[:0], e)
	p := &a.profile
	p.changes++
	n := p.open(stamp{at, ev.GetMessageId()})
	for _, name := range e.GetClear() {
		if f, ok := fieldOf(name); ok {
			p.put(f, n, false, 0, "")
		} else {
			p.putTrait(strings.TrimPrefix(name, traitPrefix), n, false, scorecard.Trait{})
		}
	}
	for _, c := range changes {
		p.put(c.field, n, true, c.number, c.text)
	}
	for _, t := range e.GetTraits() {
		p.putTrait(t.GetName(), n, true, traitOf(t))
	}
	p.tidy()
}

func traitOf(t *eventv1.Trait) scorecard.Trait {
	switch v := t.GetValue().(type) {
	case *eventv1.Trait_Text:
		return scorecard.Trait{Kind: scorecard.TraitText, Text: v.Text}
	case *eventv1.Trait_NumberMicros:
		return scorecard.Trait{Kind: scorecard.TraitNumber, Micros: v.NumberMicros}
	case *eventv1.Trait_Flag:
		return scorecard.Trait{Kind: scorecard.TraitFlag, Flag: v.Flag}
	}
	return scorecard.Trait{}
}

// accountChanges lists the fields that an event sets, checked.
func accountChanges(to []change, e *eventv1.Account) ([]change, *Refusal) {
	texts := [...]struct {
		field field
		value *string
	}{
		{fieldName, e.Name},
		{fieldPlan, e.Plan},
		{fieldCurrency, e.Currency},
		{fieldOwner, e.Owner},
		{fieldSegment, e.Segment},
		{fieldIndustry, e.Industry},
		{fieldParent, e.Parent},
		{fieldStage, e.Stage},
	}
	for _, t := range texts {
		if t.value != nil {
			to = append(to, change{field: t.field, text: *t.value})
		}
	}
	if e.Stage != nil && ownStage(e.GetStage()) == StageUnspecified {
		return nil, invalid("account.stage", "must be onboarding, adopting, renewal or steady")
	}
	dates := [...]struct {
		field field
		name  string
		value *string
	}{
		{fieldRenewalDate, "account.renewal_date", e.RenewalDate},
		{fieldCreatedDate, "account.created_date", e.CreatedDate},
		{fieldChurnDate, "account.churn_date", e.ChurnDate},
	}
	for _, t := range dates {
		if t.value == nil {
			continue
		}
		d, ok := ParseDay(*t.value)
		if !ok {
			return nil, &Refusal{CodeInvalidDate, t.name, "is no day of the calendar, YYYY-MM-DD"}
		}
		to = append(to, change{field: t.field, number: int64(d)})
	}
	return accountNumbers(to, e)
}

// accountNumbers lists the numbers that an event sets, checked.
func accountNumbers(to []change, e *eventv1.Account) ([]change, *Refusal) {
	const maxARR, maxSeats, maxTerm = 1_000_000_000_000_000_000, 1_000_000_000, 36_500
	if e.ArrMicros != nil {
		if e.GetArrMicros() < 0 || e.GetArrMicros() > maxARR {
			return nil, invalid("account.arr_micros", "must be 0 to 10^18")
		}
		to = append(to, change{field: fieldARR, number: e.GetArrMicros()})
	}
	if e.Seats != nil {
		if e.GetSeats() < 0 || e.GetSeats() > maxSeats {
			return nil, invalid("account.seats", "must be 0 to 10^9")
		}
		to = append(to, change{field: fieldSeats, number: e.GetSeats()})
	}
	if e.TermDays != nil {
		if e.GetTermDays() < 1 || e.GetTermDays() > maxTerm {
			return nil, invalid("account.term_days", "must be 1 to 36,500")
		}
		to = append(to, change{field: fieldTermDays, number: int64(e.GetTermDays())})
	}
	return to, nil
}
