package health

import (
	"slices"

	"hale.dev/services/internal/scorecard"
)

// MonthsKept is for how many past months an account knows how each ended.
const MonthsKept = 37

// Month counts UTC months since January 1970.
type Month int32

// MonthEnd is how a month ended. Months in which the account was churned, or not there yet, are left out.
type MonthEnd struct {
	// Month that ended.
	Month Month
	// ARR is the annual recurring revenue in micros of the currency unit; unknown where the profile had none.
	ARR scorecard.Value
	// Score is 0 to 100, in micros; unknown where no measure had data.
	Score scorecard.Value
	// Band at the end of the month.
	Band Band
	// Renewal is the renewal date as it stood then; ok is false where the profile had none.
	Renewal Day
	// HasRenewal says whether Renewal is one.
	HasRenewal bool
}

// Months returns how the last MonthsKept months ended, oldest first.
func (a *Account) Months() []MonthEnd {
	var months []MonthEnd
	r, m := readMonths(a.past.months)
	for oldest := MonthOf(a.day) - MonthsKept; r.left() > 0; {
		m.read(&r)
		if m.Month < oldest {
			break
		}
		if months == nil {
			months = make([]MonthEnd, 0, MonthsKept)
		}
		months = append(months, m)
	}
	slices.Reverse(months)
	return months
}

// pushMonth puts the month that ends today before the others, and leaves out those that have got too old.
func (a *Account) pushMonth() []byte {
	const most = 32 // bytes of a month end
	m := MonthEnd{Month: MonthOf(a.day), Score: a.result.Score, Band: a.result.Band}
	m.ARR.Micros, m.ARR.Known = a.profile.number(fieldARR)
	if d, ok := a.profile.date(fieldRenewalDate); ok {
		m.Renewal, m.HasRenewal = d, true
	}
	w := writer{b: make([]byte, len(a.past.months)+2*most)}
	w.int(int64(m.Month))
	m.write(&w, &MonthEnd{Month: m.Month + 1})
	newer, oldest := m, m.Month-MonthsKept+1
	r, old := readMonths(a.past.months)
	for r.left() > 0 {
		if old.read(&r); old.Month < oldest || old.Month >= newer.Month {
			break
		}
		old.write(&w, &newer)
		newer = old
	}
	return w.bytes()
}

// What a month end in its stored form has, beside the change of its score: a change against the month after.
const (
	monthScore   = 1 << 3 // a score is known; below it stands the band
	monthARR     = 1 << 4
	monthRenewal = 1 << 5
	monthGap     = 1 << 6
)

// write appends a month end as what differs from that of the month after.
func (m *MonthEnd) write(w *writer, newer *MonthEnd) {
	head := byte(m.Band)
	if m.Score.Known {
		head |= monthScore
	}
	arr, renewal := m.ARR != newer.ARR, m.Renewal != newer.Renewal || m.HasRenewal != newer.HasRenewal
	if arr {
		head |= monthARR
	}
	if renewal {
		head |= monthRenewal
	}
	if m.Month != newer.Month-1 {
		head |= monthGap
	}
	w.byte(head)
	if head&monthGap != 0 {
		w.uint(uint64(newer.Month - m.Month)) //nolint:gosec // newer is later
	}
	if m.Score.Known {
		w.int(m.Score.Micros - newer.Score.Micros)
	}
	if arr {
		w.byte(bit(m.ARR.Known))
		w.amount(m.ARR.Micros)
	}
	if renewal {
		w.byte(bit(m.HasRenewal))
		w.int(int64(m.Renewal))
	}
}

// readMonths begins to read month ends, the latest first.
func readMonths(b []byte) (reader, MonthEnd) {
	r := reader{b: b}
	if len(b) == 0 {
		return r, MonthEnd{}
	}
	return r, MonthEnd{Month: Month(r.day(0) + 1)}
}

// checkMonths reports whether bytes are month ends.
func checkMonths(b []byte) bool {
	r, m := readMonths(b)
	latest := m.Month - 1
	for n := 0; r.left() > 0; n++ {
		m.read(&r)
		if r.bad || n == MonthsKept || m.Month <= latest-MonthsKept || m.Band > BandHealthy {
			return false
		}
	}
	return !r.bad && (len(b) == 0 || m.Month <= latest)
}

// read makes of a month end that of the month before.
func (m *MonthEnd) read(r *reader) {
	const bands = monthScore - 1
	head, gap := r.byte(), uint64(1)
	if head&monthGap != 0 {
		gap = r.uint()
	}
	if gap < 1 || gap > MonthsKept || head >= monthGap<<1 {
		r.fail()
		return
	}
	m.Month -= Month(gap)
	m.Band = Band(head & bands)
	before := m.Score.Micros
	m.Score = scorecard.Value{}
	if head&monthScore != 0 {
		m.Score = known(before + r.int())
	}
	if head&monthARR != 0 {
		m.ARR.Known = r.byte() == 1
		m.ARR.Micros = r.amount()
	}
	if head&monthRenewal != 0 {
		m.HasRenewal = r.byte() == 1
		m.Renewal = r.day(0)
	}
}

// MonthOf returns the month that holds a day.
func MonthOf(d Day) Month {
	const first, months = 1970, 12
	t := d.date()
	return Month((t.Year()-first)*months + int(t.Month()) - 1) //nolint:gosec // a Day has few years
}

// String writes the month as YYYY-MM.
func (m Month) String() string { return m.First().String()[:len("2006-01")] }

// First returns the month's first day.
func (m Month) First() Day {
	const first, months = 1970, 12
	year, month := int(m)/months, int(m)%months
	if month < 0 {
		year, month = year-1, month+months
	}
	return dayOf(first+year, month+1)
}

// Last returns the month's last day.
func (m Month) Last() Day { return (m + 1).First() - 1 }
