package health

// The stored form of an account. Beside its main value stand the parts of collections over 256
// entries, numbered kind<<24 | index.
//
//	version, splits and levels of the collections (one 0 for none), flags, today and the other
//	days, usage days, survey days, the collections (of a split one the count), then everything
//	with texts: load, pulse, profile, result, past, what people decided, alerts.
//
// Version 1 had no past, no times of latest events, and nothing that people decided.

const (
	formatVersion = 2
	formatNoPast  = 1
	kindShift     = 24
)

// The kinds of parts.
const (
	kindUsers = iota
	kindFeatures
	kindTickets
	kindAliases
	kindCount
)

// Flags of the main value.
const (
	flagBegun = 1 << iota
	flagLive
	flagDirty
	flagEverSeen
	flagEverTicket
	flagEvents // an event was applied
	flagSeen
	flagTouched
	flagLoad
	flagPulse
	flagPast
	flagSources
	flagPulseText
	flagCare
	flagAlerting
)

// stampDays is after how many days no event can have the time of a stamp, so that its message id
// need not be kept: 7 days, and one for the day an account is behind.
const stampDays = 9

// Encode writes the state: put takes each part that changed since the last Encode or Decode, del
// each that is gone. Equal states have equal bytes.
func (a *Account) Encode(put func(part uint32, value []byte), del func(part uint32)) []byte {
	w := writer{b: make([]byte, a.written+a.written/16+64)}
	w.byte(formatVersion)
	a.encodeShape(&w)
	a.encodeDays(&w)
	a.encodeUsage(&w)
	a.encodeSurveys(&w)
	forget := noTime
	if a.live {
		forget = (a.day - stampDays).Start()
	}
	day := a.day
	encodeTable(&w, &a.users, kindUsers, put, del, func(w writer, p *part[user]) writer { return encodeUsers(w, p, day, forget) })
	encodeTable(&w, &a.features, kindFeatures, put, del, encodeFeatures)
	encodeTable(&w, &a.tickets, kindTickets, put, del, func(w writer, p *part[ticket]) writer { return encodeTickets(w, p, forget) })
	encodeTable(&w, &a.aliases, kindAliases, put, del, encodeAliases)
	a.encodeTexts(&w, forget)
	a.written = w.n
	return w.bytes()
}

// encodeShape writes how the collections are split and thinned out; mostly they are neither.
func (a *Account) encodeShape(w *writer) {
	shape := [2 * kindCount]byte{
		a.users.split, a.features.split, a.tickets.split, a.aliases.split,
		a.users.level, a.features.level, a.tickets.level, a.aliases.level,
	}
	if shape == [2 * kindCount]byte{} {
		w.byte(0)
		return
	}
	w.byte(1)
	for _, v := range shape {
		w.byte(v)
	}
}

func (a *Account) flags() uint64 {
	var f uint64
	for _, c := range [...]struct {
		set  bool
		flag uint64
	}{
		{a.begun, flagBegun},
		{a.live, flagLive},
		{a.dirty, flagDirty},
		{a.everSeen, flagEverSeen},
		{a.everTicket, flagEverTicket},
		{a.first != noDay, flagEvents},
		{a.lastSeen != noDay, flagSeen},
		{a.lastTouch != noDay, flagTouched},
		{a.load != "" || a.loadTime != 0, flagLoad},
		{a.pulse > 0, flagPulse},
		{a.past.day != noDay, flagPast},
		{a.lastEvent != [SourceCount]Time{}, flagSources},
		{a.pulseText != nil, flagPulseText},
		{a.care != nil, flagCare},
		{!a.alerting.empty(), flagAlerting},
	} {
		if c.set {
			f |= c.flag
		}
	}
	return f
}

func (a *Account) encodeDays(w *writer) {
	w.uint(a.flags())
	w.int(int64(a.day))
	for _, d := range [...]Day{a.first, a.lastSeen, a.lastTouch} {
		if d != noDay {
			w.int(int64(d) - int64(a.day))
		}
	}
	a.encodeSources(w)
}

// encodeSources writes the times of the latest events: which there are, then each back from the end of today.
func (a *Account) encodeSources(w *writer) {
	if a.lastEvent == [SourceCount]Time{} {
		return
	}
	var mask byte
	for i, t := range a.lastEvent {
		if t != 0 {
			mask |= 1 << i
		}
	}
	w.byte(mask)
	for _, t := range a.lastEvent {
		if t != 0 {
			w.int((a.day + 1).Start() - t)
		}
	}
}

func (a *Account) encodeUsage(w *writer) {
	w.count(len(a.usage))
	last := a.day - usageDays
	for i := range a.usage {
		u := &a.usage[i]
		delta := (int64(u.day) - int64(last)) << 1
		if u.logins > 0 {
			delta |= 1
		}
		w.int(delta)
		w.amount(u.quantity)
		if u.logins > 0 {
			w.uint(uint64(u.logins))
		}
		last = u.day + 1
	}
}

func (a *Account) encodeSurveys(w *writer) {
	w.count(len(a.surveys))
	last := a.day
	for i := range a.surveys {
		s := &a.surveys[i]
		w.int(int64(s.day) - int64(last))
		last = s.day
		numbers := s.numbers()
		var mask uint64
		for n, p := range numbers {
			if *p != 0 {
				mask |= 1 << n
			}
		}
		w.uint(mask)
		for _, p := range numbers {
			if *p != 0 {
				w.int(*p)
			}
		}
	}
}

// numbers lists what is stored of a day, the common ones first.
func (s *surveyDay) numbers() [9]*int64 {
	return [...]*int64{
		&s.sent, &s.answered, &s.csat, &s.csatGood, &s.ces, &s.cesSum,
		&s.nps.count, &s.nps.promoters, &s.nps.detractors,
	}
}

// encodeTable writes a collection into the main value, or its changed parts beside it.
func encodeTable[E any](w *writer, t *table[E], kind uint32, put func(uint32, []byte), del func(uint32),
	encode func(writer, *part[E]) writer, // by value, so that writers need not live on the heap
) {
	w.count(t.count)
	for n := range t.parts {
		if p := &t.parts[n]; p.dirty {
			pw := encode(writer{}, p)
			put(kind<<kindShift|uint32(n), pw.bytes())
			p.dirty = false
		}
	}
	if t.stored > t.split {
		first := uint32(0)
		if t.split > 0 {
			first = 1 << t.split
		}
		for n := first; n < 1<<t.stored; n++ {
			del(kind<<kindShift | n)
		}
	}
	t.stored = t.split
	if t.split == 0 && t.count > 0 {
		*w = encode(*w, &t.one)
		t.one.dirty = false
	}
}

// maxPrefix bounds what an id shares with the one before, and so how much larger than the stored
// form the ids can be.
const maxPrefix = 63

// encodeID writes an id as what it adds to the one before: both lengths in one byte if they fit.
func encodeID(w writer, last, id string) writer {
	const small, more = 15, 15
	prefix := 0
	for prefix < min(len(last), len(id), maxPrefix) && last[prefix] == id[prefix] {
		prefix++
	}
	suffix := len(id) - prefix
	w.byte(byte(min(prefix, small)<<4 | min(suffix, more))) //nolint:gosec // two halves of a byte
	if prefix >= small {
		w.byte(byte(prefix))
	}
	if suffix >= more {
		w.count(suffix - more)
	}
	w.raw(id[prefix:])
	return w
}

// encodeHead begins a part: how many entries, and the bytes of their ids together.
func encodeHead(w *writer, ids []string) {
	w.count(len(ids))
	total := 0
	for _, id := range ids {
		total += len(id)
	}
	w.count(total)
}
