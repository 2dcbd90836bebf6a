package health

// encodedDays is how many days of a user's, today included, are stored.
const encodedDays = 36

// Flags of a user's rarely used part.
const (
	moreRole = 1 << iota
	moreRoleID
	moreChampion
	moreAnswer
	moreAnswerID
)

func encodeUsers(w writer, p *part[user], today Day, forget Time) writer {
	encodeHead(&w, p.ids)
	base := noDay
	for i := range p.vals {
		base = max(base, p.vals[i].last)
	}
	if base == noDay {
		base = today
	}
	w.int(int64(base))
	last := ""
	for i := range p.vals {
		u := &p.vals[i]
		w = encodeID(w, last, p.ids[i])
		last = p.ids[i]
		var head uint64
		if u.last != noDay {
			head = (uint64(base-u.last) + 1) << 1 //nolint:gosec // base is the greatest
		}
		if u.more != nil {
			head |= 1
		}
		w.uint(head)
		if u.last != noDay {
			w.uint(u.stored(today) >> 1)
		}
		if u.more != nil {
			u.more.encode(&w, forget)
		}
	}
	return w
}

// stored is the days of a user that are kept: the last one, and those a window may still see.
func (u *user) stored(today Day) uint64 {
	ago := int64(today) - int64(u.last)
	switch {
	case ago < 0:
		return u.seen
	case ago >= encodedDays:
		return 1
	}
	return u.seen & (1<<(encodedDays-ago) - 1)
}

func (m *userMore) encode(w *writer, forget Time) {
	roleAt, npsAt := m.roleAt.old(forget), m.npsAt.old(forget)
	var flags byte
	if m.role != "" || !m.roleAt.zero() {
		flags |= moreRole
		if roleAt.id != "" {
			flags |= moreRoleID
		}
	}
	if m.champion != noTime {
		flags |= moreChampion
	}
	if !m.npsAt.zero() {
		flags |= moreAnswer
		if npsAt.id != "" {
			flags |= moreAnswerID
		}
	}
	w.byte(flags)
	if flags&moreRole != 0 {
		w.text(m.role)
		roleAt.encode(w, 0, flags&moreRoleID != 0)
	}
	if flags&moreChampion != 0 {
		w.int(m.champion - m.roleAt.time)
	}
	if flags&moreAnswer != 0 {
		w.byte(m.nps)
		npsAt.encode(w, 0, flags&moreAnswerID != 0)
	}
}

// old drops the message id of a stamp before a time.
func (s stamp) old(before Time) stamp {
	if s.time < before {
		s.id = ""
	}
	return s
}

func (s stamp) encode(w *writer, base Time, id bool) {
	w.int(s.time - base)
	if id {
		w.text(s.id)
	}
}

func encodeFeatures(w writer, p *part[feature]) writer {
	encodeHead(&w, p.ids)
	base := noDay
	for i := range p.vals {
		base = max(base, p.vals[i].last)
	}
	w.int(int64(base))
	last := ""
	for i := range p.vals {
		f := &p.vals[i]
		w = encodeID(w, last, p.ids[i])
		last = p.ids[i]
		w.uint(uint64(base - f.last))    //nolint:gosec // base is the greatest
		w.uint(uint64(f.last - f.first)) //nolint:gosec // first is before last
	}
	return w
}

// Flags of a ticket.
const (
	ticketEscalated = 1 << iota
	ticketOpened
	ticketReopened
	ticketClosed
	ticketSeverity
	ticketSeverityID
	ticketRating
	ticketRatingID
)

func encodeTickets(w writer, p *part[ticket], forget Time) writer {
	encodeHead(&w, p.ids)
	base := noTime
	for i := range p.vals {
		if base == noTime || p.vals[i].first < base {
			base = p.vals[i].first
		}
	}
	w.int(base)
	last := ""
	for i := range p.vals {
		w = encodeID(w, last, p.ids[i])
		last = p.ids[i]
		p.vals[i].encode(&w, base, forget)
	}
	return w
}

func (t *ticket) encode(w *writer, base, forget Time) {
	severityAt, ratedAt := t.severityAt.old(forget), t.ratedAt.old(forget)
	var flags uint64
	for _, c := range [...]struct {
		set  bool
		flag uint64
	}{
		{t.escalated, ticketEscalated},
		{t.opened != noTime, ticketOpened},
		{t.reopened != noTime, ticketReopened},
		{t.closed != noTime, ticketClosed},
		{t.severity > 0, ticketSeverity},
		{severityAt.id != "", ticketSeverityID},
		{t.rating > 0, ticketRating},
		{ratedAt.id != "", ticketRatingID},
	} {
		if c.set {
			flags |= c.flag
		}
	}
	w.uint(flags)
	w.int(t.first - base)
	w.int(t.last - t.first)
	if t.opened != noTime {
		w.int(t.opened - t.first)
		w.int(t.lastOpened - t.opened)
	}
	if t.reopened != noTime {
		w.int(t.last - t.reopened)
	}
	if t.closed != noTime {
		w.int(t.last - t.closed)
	}
	if t.severity > 0 {
		w.byte(t.severity)
		severityAt.encode(w, t.first, severityAt.id != "")
	}
	if t.rating > 0 {
		w.byte(t.rating)
		ratedAt.encode(w, t.first, ratedAt.id != "")
	}
}

func encodeAliases(w writer, p *part[alias]) writer {
	encodeHead(&w, p.ids)
	last := ""
	for i := range p.vals {
		w = encodeID(w, last, p.ids[i])
		last = p.ids[i]
		w.text(p.vals[i].to)
		w.int(int64(p.vals[i].day))
	}
	return w
}

// Flags of a register or trait.
const (
	registerSet = 1 << iota
	registerKind
)

// encodeTexts writes what has texts, so that they can be cut from one string when read.
func (a *Account) encodeTexts(w *writer, forget Time) {
	if a.load != "" || a.loadTime != 0 {
		w.text(a.load)
		w.int(a.loadTime)
	}
	if a.pulse > 0 {
		w.byte(a.pulse)
		a.pulseAt.old(forget).encode(w, 0, true)
	}
	if a.pulseText != nil {
		w.text(a.pulseText.author)
		w.text(a.pulseText.note)
	}
	p := &a.profile
	w.count(len(p.stamps))
	base := Time(0)
	for _, s := range p.stamps {
		s.old(forget).encode(w, base, true)
		base = s.time
	}
	w.count(len(p.registers))
	for i := range p.registers {
		r := &p.registers[i]
		head := byte(r.field) << 1
		if r.set {
			head |= registerSet
		}
		w.byte(head)
		w.uint(uint64(r.stamp))
		switch {
		case !r.set:
		case r.field.isText():
			w.text(r.text)
		case r.field == fieldARR:
			w.amount(r.number)
		default:
			w.int(r.number)
		}
	}
	w.count(len(p.traits))
	for i := range p.traits {
		p.traits[i].encode(w)
	}
	a.result.write(w, 0)
	if a.past.day != noDay {
		a.past.encode(w, a.day, &a.result)
	}
	if a.care != nil {
		a.care.encode(w, a.day)
	}
	if !a.alerting.empty() {
		a.alerting.encode(w, a.day)
	}
}

func (t *traitRegister) encode(w *writer) {
	head := byte(t.value.Kind) << registerKind
	if t.set {
		head |= registerSet
	}
	w.byte(head)
	w.text(t.name)
	w.uint(uint64(t.stamp))
	if !t.set {
		return
	}
	w.text(t.value.Text)
	w.int(t.value.Micros)
	if t.value.Flag {
		w.byte(1)
	} else {
		w.byte(0)
	}
}
