package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/scorecard"
)

const (
	// maxLevel bounds how often a sample was halved.
	maxLevel = 32
	// maxEntries bounds the entries of a collection.
	maxEntries = 4 * maxUsers
)

func decodeUsers(r *reader, p *part[user]) {
	const size = 3
	var ids idReader
	n := decodeHead(r, &ids, size)
	base := r.day(0)
	p.ids, p.vals = make([]string, n), make([]user, n)
	for i := range n {
		u := &p.vals[i]
		p.ids[i] = ids.next(r)
		u.last = noDay
		head := r.uint()
		if back := head >> 1; back > 0 {
			const limit = 1 << 30
			if back > limit {
				r.fail()
				return
			}
			u.last = base - Day(back-1)
			u.seen = r.uint()<<1 | 1
		}
		if head&1 != 0 {
			u.more = decodeMore(r)
		}
		if r.bad {
			return
		}
	}
}

func decodeMore(r *reader) *userMore {
	m := &userMore{champion: noTime}
	flags := r.byte()
	if flags&moreRole != 0 {
		m.role = r.text()
		m.roleAt = decodeStamp(r, 0, flags&moreRoleID != 0)
	}
	if flags&moreChampion != 0 {
		m.champion = m.roleAt.time + r.int()
	}
	if flags&moreAnswer != 0 {
		m.nps = r.byte()
		m.npsAt = decodeStamp(r, 0, flags&moreAnswerID != 0)
	}
	if flags >= moreAnswerID<<1 || (m.role == roleOfChampion && m.champion == noTime) {
		r.fail()
	}
	return m
}

func decodeStamp(r *reader, base Time, id bool) stamp {
	s := stamp{time: base + r.int()}
	if id {
		s.id = r.text()
	}
	return s
}

func decodeFeatures(r *reader, p *part[feature]) {
	const size = 3
	var ids idReader
	n := decodeHead(r, &ids, size)
	base := r.day(0)
	p.ids, p.vals = make([]string, n), make([]feature, n)
	for i := range n {
		f := &p.vals[i]
		p.ids[i] = ids.next(r)
		back, span := r.uint(), r.uint()
		const limit = 1 << 29
		if back > limit || span > limit {
			r.fail()
		}
		if r.bad {
			return
		}
		f.last = base - Day(back)    //nolint:gosec // checked
		f.first = f.last - Day(span) //nolint:gosec // checked
	}
}

func decodeTickets(r *reader, p *part[ticket]) {
	const size = 4
	var ids idReader
	n := decodeHead(r, &ids, size)
	base := r.int()
	p.ids, p.vals = make([]string, n), make([]ticket, n)
	for i := range n {
		p.ids[i] = ids.next(r)
		p.vals[i].decode(r, base)
		if r.bad {
			return
		}
	}
}

func (t *ticket) decode(r *reader, base Time) {
	flags := r.uint()
	*t = newTicket(base + r.int())
	t.last = t.first + r.int()
	t.escalated = flags&ticketEscalated != 0
	if flags&ticketOpened != 0 {
		t.opened = t.first + r.int()
		t.lastOpened = t.opened + r.int()
	}
	if flags&ticketReopened != 0 {
		t.reopened = t.last - r.int()
	}
	if flags&ticketClosed != 0 {
		t.closed = t.last - r.int()
	}
	if flags&ticketSeverity != 0 {
		t.severity = r.byte()
		t.severityAt = decodeStamp(r, t.first, flags&ticketSeverityID != 0)
	}
	if flags&ticketRating != 0 {
		t.rating = r.byte()
		t.ratedAt = decodeStamp(r, t.first, flags&ticketRatingID != 0)
	}
	if flags >= ticketRatingID<<1 || t.severity > uint8(eventv1.Ticket_SEVERITY_URGENT) {
		r.fail()
	}
}

func decodeAliases(r *reader, p *part[alias]) {
	const size = 3
	var ids idReader
	n := decodeHead(r, &ids, size)
	p.ids, p.vals = make([]string, n), make([]alias, n)
	for i := range n {
		p.ids[i] = ids.next(r)
		p.vals[i] = alias{to: r.text(), day: r.day(0)}
		if p.vals[i].to >= p.ids[i] { // else there could be a cycle
			r.fail()
		}
		if r.bad {
			return
		}
	}
}

// decodeTexts reads what has texts.
func (a *Account) decodeTexts(r *reader) {
	if a.load != "" {
		a.load, a.loadTime = r.text(), r.int()
	}
	if a.pulse > 0 {
		a.pulse = r.byte()
		a.pulseAt = decodeStamp(r, 0, true)
	}
	if a.pulseText != nil {
		a.pulseText.author, a.pulseText.note = r.text(), r.text()
	}
	a.profile.decode(r)
	a.result = Result{}
	a.result.read(r, 0)
	if a.past.day != noDay {
		a.past.decode(r, a.day, &a.result)
	}
	if a.care != nil {
		a.care = decodeCare(r, a.day)
	}
	if a.alerting.present {
		a.alerting.decode(r, a.day)
	}
}

func (p *profile) decode(r *reader) {
	const stampBytes, registerBytes, traitBytes = 2, 2, 3
	if n := r.count(stampBytes); n > 0 {
		p.stamps = make([]stamp, n)
	}
	base := Time(0)
	for i := range p.stamps {
		p.stamps[i] = decodeStamp(r, base, true)
		base = p.stamps[i].time
	}
	if n := r.count(registerBytes); n > 0 && n <= int(fieldCount) {
		p.registers = make([]register, n)
	} else if n > 0 {
		r.fail()
	}
	for i := range p.registers {
		p.registers[i].decode(r, len(p.stamps))
		if i > 0 && p.registers[i].field <= p.registers[i-1].field {
			r.fail()
		}
	}
	if n := r.count(traitBytes); n > 0 {
		p.traits = make([]traitRegister, n)
	}
	for i := range p.traits {
		p.traits[i].decode(r, len(p.stamps))
		if i > 0 && p.traits[i].name <= p.traits[i-1].name {
			r.fail()
		}
	}
}

func (t *register) decode(r *reader, stamps int) {
	head := r.byte()
	t.field, t.set = field(head>>1), head&registerSet != 0
	n := r.uint()
	if t.field >= fieldCount || n >= uint64(stamps) { //nolint:gosec // a length
		r.fail()
		return
	}
	t.stamp = uint16(n) //nolint:gosec // checked
	switch {
	case !t.set:
	case t.field.isText():
		t.text = r.text()
	case t.field == fieldARR:
		t.number = r.amount()
	default:
		t.number = r.int()
	}
}

func (t *traitRegister) decode(r *reader, stamps int) {
	head := r.byte()
	t.set, t.value.Kind = head&registerSet != 0, scorecard.TraitKind(head>>registerKind)
	t.name = r.text()
	n := r.uint()
	if n >= uint64(stamps) || t.value.Kind > scorecard.TraitFlag { //nolint:gosec // a length
		r.fail()
		return
	}
	t.stamp = uint16(n) //nolint:gosec // checked
	if t.set {
		t.value.Text, t.value.Micros, t.value.Flag = r.text(), r.int(), r.byte() == 1
	}
}
