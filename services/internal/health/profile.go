package health

import (
	"slices"
	"strings"

	"hale.dev/services/internal/scorecard"
)

// field is a fixed field of the profile. The numbers are part of the stored format.
type field uint8

const (
	fieldName field = iota
	fieldPlan
	fieldARR // micros
	fieldCurrency
	fieldSeats
	fieldRenewalDate // a Day
	fieldTermDays
	fieldCreatedDate // a Day
	fieldOwner
	fieldSegment
	fieldIndustry
	fieldParent
	fieldStage
	fieldChurnDate // a Day
	fieldCount
)

// fieldOf finds a field by its name in events.
func fieldOf(name string) (field, bool) {
	switch name {
	case "name":
		return fieldName, true
	case "plan":
		return fieldPlan, true
	case "arr", "arr_micros":
		return fieldARR, true
	case "currency":
		return fieldCurrency, true
	case "seats":
		return fieldSeats, true
	case "renewal_date":
		return fieldRenewalDate, true
	case "term_days":
		return fieldTermDays, true
	case "created_date":
		return fieldCreatedDate, true
	case "owner":
		return fieldOwner, true
	case "segment":
		return fieldSegment, true
	case "industry":
		return fieldIndustry, true
	case "parent":
		return fieldParent, true
	case "stage":
		return fieldStage, true
	case "churn_date":
		return fieldChurnDate, true
	}
	return 0, false
}

// isText says whether the field's value is a text; else it is a number.
func (f field) isText() bool {
	switch f {
	case fieldName, fieldPlan, fieldCurrency, fieldOwner, fieldSegment, fieldIndustry, fieldParent, fieldStage:
		return true
	case fieldARR, fieldSeats, fieldRenewalDate, fieldTermDays, fieldCreatedDate, fieldChurnDate, fieldCount:
	}
	return false
}

// register holds the latest value of a field; cleared where set is false.
type register struct {
	field  field
	set    bool
	stamp  uint16 // index into the profile's stamps
	number int64
	text   string
}

// traitRegister holds the latest value of a trait; cleared where set is false.
type traitRegister struct {
	name  string
	set   bool
	stamp uint16
	value scorecard.Trait
}

// profile holds the registers of the account. Fields set by one event share its stamp.
type profile struct {
	registers []register      // by field
	traits    []traitRegister // by name
	stamps    []stamp
	changes   uint32 // grows with each event; not stored
}

// maxTraits bounds the names of traits an account has or had.
const maxTraits = 256

func (p *profile) find(f field) *register {
	for i := range p.registers {
		if p.registers[i].field == f {
			return &p.registers[i]
		}
	}
	return nil
}

func (p *profile) text(f field) string {
	if r := p.find(f); r != nil {
		return r.text
	}
	return ""
}

func (p *profile) number(f field) (int64, bool) {
	if r := p.find(f); r != nil && r.set {
		return r.number, true
	}
	return 0, false
}

func (p *profile) date(f field) (Day, bool) {
	n, ok := p.number(f)
	return Day(n), ok //nolint:gosec // written from a Day
}

func (p *profile) dateText(f field) string {
	if d, ok := p.date(f); ok {
		return d.String()
	}
	return ""
}

// put sets a field unless a later event has; stamp n is that of the event.
func (p *profile) put(f field, n uint16, set bool, number int64, text string) {
	i := 0
	for i < len(p.registers) && p.registers[i].field < f {
		i++
	}
	if i == len(p.registers) || p.registers[i].field != f {
		p.registers = slices.Insert(p.registers, i, register{field: f, stamp: n})
	} else if !p.stamps[n].beats(p.stamps[p.registers[i].stamp]) && n != p.registers[i].stamp {
		return
	}
	p.registers[i] = register{field: f, set: set, stamp: n, number: number, text: strings.Clone(text)}
}

// searchTrait returns where a trait stands, or would.
func (p *profile) searchTrait(name string) (int, bool) {
	return slices.BinarySearchFunc(p.traits, name, func(t traitRegister, name string) int {
		return strings.Compare(t.name, name)
	})
}

// putTrait sets or clears a trait unless a later event has.
func (p *profile) putTrait(name string, n uint16, set bool, value scorecard.Trait) {
	i, found := p.searchTrait(name)
	if !found {
		p.traits = slices.Insert(p.traits, i, traitRegister{name: strings.Clone(name)})
	} else if !p.stamps[n].beats(p.stamps[p.traits[i].stamp]) && n != p.traits[i].stamp {
		return
	}
	value.Text = strings.Clone(value.Text)
	t := &p.traits[i]
	t.set, t.stamp, t.value = set, n, value
}

// open adds the stamp of an event and returns its number.
func (p *profile) open(at stamp) uint16 {
	p.stamps = append(p.stamps, at.keep())
	return uint16(len(p.stamps) - 1) //nolint:gosec // at most one a register, and they are bounded
}

// tidy drops the stamps that no register uses, and puts the others in the order of first use.
func (p *profile) tidy() {
	const unused = ^uint16(0)
	to := make([]uint16, len(p.stamps))
	for i := range to {
		to[i] = unused
	}
	kept := make([]stamp, 0, len(p.stamps))
	move := func(n *uint16) {
		if to[*n] == unused {
			to[*n] = uint16(len(kept)) //nolint:gosec // at most len(p.stamps)
			kept = append(kept, p.stamps[*n])
		}
		*n = to[*n]
	}
	for i := range p.registers {
		move(&p.registers[i].stamp)
	}
	for i := range p.traits {
		move(&p.traits[i].stamp)
	}
	p.stamps = kept
}

// size is about the memory of the profile beside its fixed part, bytes.
func (p *profile) size() int {
	const registerBytes, traitBytes, stampBytes = 48, 112, 56
	return len(p.registers)*registerBytes + len(p.traits)*traitBytes + len(p.stamps)*stampBytes
}

// Profile is what is known of an account.
type Profile struct {
	// Name is the display name.
	Name string
	// Plan is the plan or tier.
	Plan string
	// ARR is the annual recurring revenue in micros of the currency unit; nil: unknown.
	ARR *int64
	// Currency is the ISO 4217 code of the currency of ARR.
	Currency string
	// Seats is the number of seats bought; 0: unknown.
	Seats int64
	// RenewalDate is the day the contract renews, YYYY-MM-DD; empty: unknown.
	RenewalDate string
	// TermDays is the length of a contract term; 0: unknown.
	TermDays int32
	// CreatedDate is the day the account began, YYYY-MM-DD; empty: unknown.
	CreatedDate string
	// Owner is the success manager.
	Owner string
	// Segment is the customer segment.
	Segment string
	// Industry is the customer's industry.
	Industry string
	// Parent is the account id of the parent organisation.
	Parent string
	// Stage is the stage set by hand; empty: none.
	Stage string
	// ChurnDate is the day the customer left, YYYY-MM-DD; empty: none.
	ChurnDate string
	// Traits are the other traits, by name.
	Traits []Trait
}

// Trait is a named value of the sender's own.
type Trait struct {
	// Trait is its value.
	scorecard.Trait

	// Name of the trait.
	Name string
}

// Profile returns what is known of the account.
func (a *Account) Profile() Profile {
	p := &a.profile
	r := Profile{
		Name: p.text(fieldName), Plan: p.text(fieldPlan), Currency: p.text(fieldCurrency),
		Owner: p.text(fieldOwner), Segment: p.text(fieldSegment), Industry: p.text(fieldIndustry),
		Parent: p.text(fieldParent), Stage: p.text(fieldStage),
		RenewalDate: p.dateText(fieldRenewalDate), CreatedDate: p.dateText(fieldCreatedDate),
		ChurnDate: p.dateText(fieldChurnDate),
	}
	if arr, ok := p.number(fieldARR); ok {
		r.ARR = &arr
	}
	r.Seats, _ = p.number(fieldSeats)
	term, _ := p.number(fieldTermDays)
	r.TermDays = int32(term) //nolint:gosec // checked when applied
	for i := range p.traits {
		if t := &p.traits[i]; t.set {
			r.Traits = append(r.Traits, Trait{Name: t.name, Trait: t.value})
		}
	}
	return r
}
