package health

import (
	"fmt"
	"math"
	"strings"
)

// Parts returns the numbers of the parts that an encoded account has beside its main value.
func Parts(main []byte) ([]uint32, error) {
	r := &reader{b: main}
	shape := readShape(r)
	if r.bad {
		return nil, fmt.Errorf("reading the parts of an account: %w", ErrCorrupt)
	}
	var parts []uint32
	for kind := range uint32(kindCount) {
		if split := shape[kind]; split > 0 {
			for n := range uint32(1) << split {
				parts = append(parts, kind<<kindShift|n)
			}
		}
	}
	return parts, nil
}

// Decode reads what Encode wrote; part returns a part by its number, nil where it is missing. Any
// bytes either make an account or an error.
func Decode(main []byte, part func(n uint32) []byte) (*Account, error) {
	r := &reader{b: main}
	a := New()
	shape := readShape(r)
	a.users.split, a.features.split, a.tickets.split, a.aliases.split = shape[0], shape[1], shape[2], shape[3]
	a.users.level, a.features.level, a.tickets.level, a.aliases.level = shape[4], shape[5], shape[6], shape[7]
	a.decodeDays(r)
	a.decodeUsage(r)
	a.decodeSurveys(r)
	decodeTable(r, &a.users, kindUsers, part, decodeUsers)
	decodeTable(r, &a.features, kindFeatures, part, decodeFeatures)
	decodeTable(r, &a.tickets, kindTickets, part, decodeTickets)
	decodeTable(r, &a.aliases, kindAliases, part, decodeAliases)
	rest := reader{b: r.b[r.pos:], s: string(r.b[r.pos:]), bad: r.bad}
	a.decodeTexts(&rest)
	if rest.bad || rest.left() > 0 {
		return nil, fmt.Errorf("reading an account: %w", ErrCorrupt)
	}
	a.derive()
	a.written = len(main)
	return a, nil
}

// derive counts the users with a role and those outside the sample.
func (a *Account) derive() {
	a.roles, a.outs = 0, 0
	a.users.each(func(id string, u *user) {
		if u.role() != "" {
			a.roles++
		}
		if a.users.level > 0 && !a.users.in(id) {
			u.out = true
			a.outs++
		}
	})
}

// readShape reads how the collections are split and thinned out.
func readShape(r *reader) [2 * kindCount]byte {
	var shape [2 * kindCount]byte
	version, shaped := r.byte(), r.byte()
	if (version != formatVersion && version != formatNoPast) || shaped > 1 {
		r.fail()
		return shape
	}
	if shaped == 0 {
		return shape
	}
	for i := range shape {
		shape[i] = r.byte()
		if (i < kindCount && shape[i] > maxSplit) || shape[i] > maxLevel {
			r.fail()
		}
	}
	if r.bad {
		return [2 * kindCount]byte{}
	}
	return shape
}

func (a *Account) decodeDays(r *reader) {
	f := r.uint()
	a.begun, a.live, a.dirty = f&flagBegun != 0, f&flagLive != 0, f&flagDirty != 0
	a.everSeen, a.everTicket = f&flagEverSeen != 0, f&flagEverTicket != 0
	a.day = r.day(0)
	if f&flagEvents != 0 {
		a.first = r.day(a.day)
	}
	if f&flagSeen != 0 {
		a.lastSeen = r.day(a.day)
	}
	if f&flagTouched != 0 {
		a.lastTouch = r.day(a.day)
	}
	if f&flagLoad != 0 {
		a.load = "?" // read with the texts
	}
	a.pulse = byte(f / flagPulse & 1)
	a.past = past{day: noDay, since: noDay}
	if f&flagPast != 0 {
		a.past.day = a.day // read with the texts
	}
	if f&flagPulseText != 0 {
		a.pulseText = &pulseText{} // read with the texts
	}
	if f&flagSources != 0 {
		a.decodeSources(r)
	}
	if f&flagCare != 0 {
		a.care = &care{} // read with the texts
	}
	a.alerting.present = f&flagAlerting != 0 // read with the texts
	if f >= flagAlerting<<1 || (f >= flagPast && r.b[0] == formatNoPast) {
		r.fail()
	}
}

func (a *Account) decodeSources(r *reader) {
	mask := r.byte()
	for i := range a.lastEvent {
		if mask&(1<<i) != 0 {
			a.lastEvent[i] = (a.day + 1).Start() - r.int()
		}
	}
	if mask == 0 || mask>>SourceCount != 0 {
		r.fail()
	}
}

func (a *Account) decodeUsage(r *reader) {
	n := r.count(2)
	if n == 0 {
		return
	}
	a.usage = make([]usageDay, n)
	last := a.day - usageDays
	for i := range a.usage {
		u := &a.usage[i]
		delta := r.int()
		u.day = Day(int64(last) + delta>>1) //nolint:gosec // order is checked
		u.quantity = r.amount()
		if delta&1 != 0 {
			logins := r.uint()
			u.logins = uint32(min(logins, math.MaxUint32))
		}
		if (i > 0 && u.day < last) || u.quantity < 0 || u.quantity > maxDayQuantity {
			r.fail()
		}
		last = u.day + 1
	}
}

func (a *Account) decodeSurveys(r *reader) {
	n := r.count(2)
	if n == 0 {
		return
	}
	a.surveys = make([]surveyDay, n)
	last := a.day
	for i := range a.surveys {
		s := &a.surveys[i]
		s.day = r.day(last)
		if i > 0 && s.day <= last {
			r.fail()
		}
		last = s.day
		mask := r.uint()
		numbers := s.numbers()
		if mask>>len(numbers) != 0 {
			r.fail()
		}
		for n, p := range numbers {
			if mask&(1<<n) != 0 {
				*p = r.int()
			}
			if *p < 0 {
				r.fail()
			}
		}
	}
}

// decodeTable reads a collection from the main value, or from its parts.
func decodeTable[E any](r *reader, t *table[E], kind uint32, get func(uint32) []byte,
	decode func(*reader, *part[E]),
) {
	count := r.uint()
	t.stored = t.split
	if r.bad || count > maxEntries {
		r.fail()
		t.split, t.stored = 0, 0
		return
	}
	if t.split == 0 {
		if count > 0 {
			decode(r, &t.one)
			t.adopt(&t.one)
		}
		if uint64(t.count) != count { //nolint:gosec // a length
			r.fail()
		}
		return
	}
	t.parts = make([]part[E], 1<<t.split)
	for n := range t.parts {
		p := &t.parts[n]
		pr := &reader{b: get(kind<<kindShift | uint32(n))}
		decode(pr, p)
		for _, id := range p.ids {
			if t.at(id) != p {
				pr.fail()
			}
		}
		if pr.bad || pr.left() > 0 {
			r.fail()
			break
		}
		t.adopt(p)
	}
	if uint64(t.count) != count { //nolint:gosec // a length
		r.fail()
	}
}

// adopt counts a part that was read.
func (t *table[E]) adopt(p *part[E]) {
	t.count += len(p.ids)
	for _, id := range p.ids {
		t.bytes += len(id)
	}
}

// idReader reads ids in order; they stand in one buffer.
type idReader struct {
	buffer strings.Builder
	last   string
	begun  bool
}

// decodeHead reads the head of a part whose entries take at least size bytes each.
func decodeHead(r *reader, ids *idReader, size int) int {
	const most = 64 // times the stored form: more than prefixes can make of it
	n := r.count(size)
	total := r.uint()
	if total > uint64(r.left())*most { //nolint:gosec // never negative
		r.fail()
		return 0
	}
	ids.buffer.Grow(int(total)) //nolint:gosec // checked
	return n
}

// next reads an id; it must be greater than the one before.
func (ids *idReader) next(r *reader) string {
	const small, more = 15, 15
	head := r.byte()
	prefix, suffix := int(head>>4), int(head&15)
	if prefix == small {
		prefix = int(r.byte())
	}
	if suffix == more {
		suffix = more + r.count(1)
	}
	if prefix > len(ids.last) || prefix > maxPrefix || suffix > r.left() {
		r.fail()
		return ""
	}
	start := ids.buffer.Len()
	ids.buffer.WriteString(ids.last[:prefix])
	ids.buffer.Write(r.b[r.pos : r.pos+suffix])
	r.pos += suffix
	id := ids.buffer.String()[start:]
	if ids.begun && id <= ids.last {
		r.fail()
	}
	ids.last, ids.begun = id, true
	return id
}
