package health

import (
	"slices"

	"hale.dev/services/internal/scorecard"
)

// RecentDays is for how many past days an account itself knows how each ended; days before stand in its history only.
const RecentDays = 31

// DayEnd is how a day ended. Score and band are the computed ones.
type DayEnd struct {
	// Day that ended.
	Day Day
	// Score is 0 to 100, in micros; unknown where no measure had data.
	Score scorecard.Value
	// Band at the end of the day.
	Band Band
}

// past is what an account itself knows of its history.
type past struct {
	day    Day    // of the latest row; noDay: there is none
	recent []byte // the last day ends, stored form, beginning with that of day; never changed, only replaced
	months []byte // the last month ends, stored form; never changed, only replaced
	// card and version are those of the latest row; since is the first day at whose end they applied without a break.
	card    string
	version uint64
	since   Day
}

// Recent returns how the last RecentDays ended, oldest first. Days without a row of history are left out.
func (a *Account) Recent() []DayEnd {
	r, d := reader{b: a.past.recent}, DayEnd{Day: a.past.day + 1}
	var days []DayEnd
	for r.left() > 0 {
		d.read(&r)
		if d.Day < a.day-RecentDays {
			break
		}
		if days == nil {
			days = make([]DayEnd, 0, RecentDays)
		}
		days = append(days, d)
	}
	slices.Reverse(days)
	return days
}

// CardSince returns the first day at whose end the scorecard that applies now, in its version, applied without a break;
// today if it did not yet at the end of yesterday. A change of the score over days is a change of the
// customer only from that day on.
func (a *Account) CardSince() Day {
	p := &a.past
	if p.day != a.day-1 || p.card != a.result.Card || p.version != a.result.SetVersion {
		return a.day
	}
	return p.since
}

// remember notes the end of today, which has a row.
func (a *Account) remember() {
	p, r := &a.past, &a.result
	if p.day != a.day-1 || p.card != r.Card || p.version != r.SetVersion {
		p.since, p.card, p.version = a.day, r.Card, r.SetVersion
	}
	p.recent = p.push(DayEnd{Day: a.day, Score: r.Score, Band: r.Band})
	p.day = a.day
	if (a.day + 1).date().Day() == 1 {
		p.months = a.pushMonth()
	}
}

// push puts a day end before the others, and leaves out those that have got too old.
func (p *past) push(d DayEnd) []byte {
	const most = 24 // bytes of two day ends
	w := writer{b: make([]byte, len(p.recent)+most)}
	d.write(&w, DayEnd{Day: d.Day + 1})
	r, old := reader{b: p.recent}, DayEnd{Day: p.day + 1}
	if r.left() == 0 {
		return w.bytes()
	}
	oldest := d.Day - RecentDays + 1
	if old.read(&r); old.Day < oldest {
		return w.bytes()
	}
	old.write(&w, d) // the others are told apart from the one after them as before
	from, to := r.pos, r.pos
	for r.left() > 0 {
		if old.read(&r); old.Day < oldest {
			break
		}
		to = r.pos
	}
	w.bin(p.recent[from:to])
	return w.bytes()
}

// write appends a day end as what differs from that of the day after: one byte where nothing does.
func (d *DayEnd) write(w *writer, newer DayEnd) {
	if d.Day == newer.Day-1 && d.Band == newer.Band && d.Score.Known == newer.Score.Known {
		w.uint(zigzag(d.Score.Micros-newer.Score.Micros) + 1)
		return
	}
	w.byte(0)
	w.uint(uint64(newer.Day - d.Day)) //nolint:gosec // newer is later
	w.byte(byte(d.Band)<<1 | bit(d.Score.Known))
	if d.Score.Known {
		w.int(d.Score.Micros)
	}
}

// checkDays reports whether bytes are day ends, the latest, that of the day given, first.
func checkDays(b []byte, latest Day) bool {
	r, d := reader{b: b}, DayEnd{Day: latest + 1}
	for r.left() > 0 {
		d.read(&r)
		if r.bad || d.Day <= latest-RecentDays || d.Band > BandHealthy {
			return false
		}
	}
	return d.Day <= latest
}

// read makes of a day end that of the day before.
func (d *DayEnd) read(r *reader) {
	if change := r.uint(); change > 0 {
		d.Day--
		d.Score.Micros += unzigzag(change - 1)
		return
	}
	gap := r.uint()
	if gap < 1 || gap > RecentDays {
		r.fail()
		return
	}
	d.Day -= Day(gap)
	head := r.byte()
	d.Band, d.Score = Band(head>>1), scorecard.Value{}
	if head&1 != 0 {
		d.Score = known(r.int())
	}
}

// encode writes what is known of the past; there is a latest row.
func (p *past) encode(w *writer, today Day, r *Result) {
	w.uint(uint64(today - p.day))   //nolint:gosec // it is later
	w.uint(uint64(p.day - p.since)) //nolint:gosec // it is not earlier
	w.count(len(p.recent))
	w.count(len(p.months))
	w.bin(p.recent)
	w.bin(p.months)
	if p.card == r.Card && p.version == r.SetVersion {
		w.byte(0)
		return
	}
	w.byte(1)
	w.text(p.card)
	w.uint(p.version)
}

func (p *past) decode(r *reader, today Day, result *Result) {
	back, length := r.uint(), r.uint()
	const limit = 1 << 29
	if back < 1 || back > limit || length > limit {
		r.fail()
		return
	}
	p.day = today - Day(back)
	p.since = p.day - Day(length)
	days, months := r.count(1), r.count(1)
	if days+months > r.left() {
		r.fail()
		return
	}
	b := slices.Clone(r.b[r.pos : r.pos+days+months])
	r.pos += len(b)
	p.recent, p.months = b[:days:days], b[days:]
	if !checkDays(p.recent, p.day) || !checkMonths(p.months) {
		r.fail()
		return
	}
	switch r.byte() {
	case 0:
		p.card, p.version = result.Card, result.SetVersion
	case 1:
		p.card, p.version = r.text(), r.uint()
	default:
		r.fail()
	}
}
