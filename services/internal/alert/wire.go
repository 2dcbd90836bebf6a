package alert

import (
	"encoding/binary"
	"errors"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/wire"
)

// ErrCorrupt is returned for bytes that Encode cannot have made.
var ErrCorrupt = errors.New("alert: malformed book")

// Flags of an entry.
const (
	entryLatched = 1 << iota
	entryWaiting
	entryOpen
	entryFlags
)

// Flags of an open alert.
const (
	openHeld = 1 << iota
	openFlapping
	openQuiet
	openOpportunity
	openUntilWorse
	openFlags
)

// Append appends the book's stored form. Times are told from a base near them, which reading needs again.
func (b *Book) Append(dst []byte, base Time) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b.entries)))
	dst = appendTime(dst, b.next, base)
	for i := range b.entries {
		dst = b.entries[i].append(dst, base)
	}
	return dst
}

func (e *entry) append(dst []byte, base Time) []byte {
	dst = wire.Append(dst, e.rule)
	dst = append(dst, flag(e.latched, entryLatched)|flag(e.waiting, entryWaiting)|flag(e.alert != nil, entryOpen))
	dst = appendTime(dst, e.pending, base)
	for _, t := range e.fired {
		dst = appendTime(dst, t, base)
	}
	if e.alert != nil {
		dst = e.alert.append(dst, base)
	}
	return dst
}

// times lists the times of an alert.
func (a *Alert) times() [6]*Time {
	return [...]*Time{&a.Since, &a.Fired, &a.StateAt, &a.restAt, &a.clearAt, &a.SnoozeUntil}
}

func (a *Alert) append(dst []byte, base Time) []byte {
	dst = append(dst,
		flag(a.Held, openHeld)|flag(a.Flapping, openFlapping)|flag(a.Quiet, openQuiet)|
			flag(a.Opportunity, openOpportunity)|flag(a.UntilWorse, openUntilWorse),
		byte(a.State), byte(a.Severity), a.worseBand, //nolint:gosec // a few
	)
	for _, t := range a.times() {
		dst = appendTime(dst, *t, base)
	}
	for _, n := range [...]uint64{uint64(a.Revision), uint64(a.Escalation), a.Version} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendVarint(dst, a.worseScore)
	dst = wire.Append(wire.Append(dst, a.Acknowledged), a.Assignee)
	dst = binary.AppendUvarint(dst, uint64(len(a.Drivers)))
	for i := range a.Drivers {
		dst = a.Drivers[i].append(dst)
	}
	return dst
}

func (d *Driver) append(dst []byte) []byte {
	dst = append(dst, d.Measure, flag(d.Before != nil, 1)|flag(d.After != nil, 2)) //nolint:mnd // two flags
	for _, v := range [...]*int64{d.Before, d.After} {
		if v != nil {
			dst = binary.AppendVarint(dst, *v)
		}
	}
	return binary.AppendVarint(binary.AppendVarint(dst, d.Change), int64(d.Day))
}

// Read reads what Append wrote, with the same base.
func Read(b []byte, base Time) (Book, error) {
	var book Book
	r := wire.NewReader(b)
	n := r.Count()
	book.next = readTime(r, base)
	for last := ""; n > 0 && !r.Bad(); n-- {
		var e entry
		if !e.read(r, base) || (last != "" && e.rule <= last) {
			return Book{}, ErrCorrupt
		}
		last = e.rule
		book.entries = append(book.entries, e)
	}
	if !r.Done() {
		return Book{}, ErrCorrupt
	}
	return book, nil
}

func (e *entry) read(r *wire.Reader, base Time) bool {
	e.rule = r.Text()
	flags := r.Byte()
	e.latched, e.waiting = flags&entryLatched != 0, flags&entryWaiting != 0
	e.pending = readTime(r, base)
	for i := range e.fired {
		e.fired[i] = readTime(r, base)
	}
	if flags&entryOpen != 0 {
		e.alert = &Alert{}
		return e.alert.read(r, base) && flags < entryFlags
	}
	return flags < entryFlags && !r.Bad()
}

func (a *Alert) read(r *wire.Reader, base Time) bool {
	flags := r.Byte()
	a.Held, a.Flapping, a.Quiet = flags&openHeld != 0, flags&openFlapping != 0, flags&openQuiet != 0
	a.Opportunity, a.UntilWorse = flags&openOpportunity != 0, flags&openUntilWorse != 0
	a.State, a.Severity, a.worseBand = alertv1.State(r.Byte()), alertv1.Severity(r.Byte()), r.Byte()
	for _, t := range a.times() {
		*t = readTime(r, base)
	}
	a.Revision, a.Escalation = uint32(r.Uvarint()), uint32(r.Uvarint()) //nolint:gosec // written from uint32
	a.Version, a.worseScore = r.Uvarint(), r.Varint()
	a.Acknowledged, a.Assignee = r.Text(), r.Text()
	for n := r.Count(); n > 0 && !r.Bad(); n-- {
		var d Driver
		if !d.read(r) {
			return false
		}
		a.Drivers = append(a.Drivers, d)
	}
	return !r.Bad() && flags < openFlags && a.State >= alertv1.State_STATE_FIRING &&
		a.State < alertv1.State_STATE_RESOLVED && a.Severity <= alertv1.Severity_SEVERITY_CRITICAL
}

func (d *Driver) read(r *wire.Reader) bool {
	d.Measure = r.Byte()
	flags := r.Byte()
	for i, to := range [...]**int64{&d.Before, &d.After} {
		if flags&(1<<i) != 0 {
			v := r.Varint()
			*to = &v
		}
	}
	d.Change = r.Varint()
	d.Day = int32(r.Varint()) //nolint:gosec // written from int32
	return !r.Bad() && flags>>2 == 0 && scorecard.Measure(d.Measure) < scorecard.MeasureCount
}

// appendTime writes a time as its distance from the base, 0 as 0.
func appendTime(dst []byte, t, base Time) []byte {
	if t == 0 {
		return append(dst, 0)
	}
	d := t - base
	if d >= 0 {
		d++ // 0 means none
	}
	return binary.AppendVarint(dst, d)
}

func readTime(r *wire.Reader, base Time) Time {
	d := r.Varint()
	switch {
	case d == 0:
		return 0
	case d > 0:
		d--
	}
	return base + d
}

func flag(set bool, f byte) byte {
	if set {
		return f
	}
	return 0
}
