package health

import (
	"slices"

	"hale.dev/services/internal/alert"
)

// alerting is what an account keeps for the sake of alerts.
type alerting struct {
	book alert.Book
	// change is the number of the workspace's last change of settings that the account has taken in.
	change uint64
	// timer is for when the account asked to be woken; 0: it did not.
	timer Time
	// silent are the sources that are silent, and what stands still because of it; nil: nothing does.
	silent SourceSet
	still  *still
	// weeks are the ends of two weeks, stored form, the older first; never changed, only replaced.
	weeks []byte

	// What follows is made of the above and not stored.

	present bool // while it is read

	seen  uint64 // a hash of what the last review went by; 0: not known
	pasts pasts
}

// Alerts returns what is remembered of the account's alerts.
func (a *Account) Alerts() *alert.Book { return &a.alerting.book }

// SettingsChange returns the number of the workspace's last change of settings that the account has taken in.
func (a *Account) SettingsChange() uint64 { return a.alerting.change }

// Timer returns for when the account asked to be woken; 0: it did not.
func (a *Account) Timer() Time { return a.alerting.timer }

// Parts of the stored form that are there.
const (
	alertingBook = 1 << iota
	alertingTimer
	alertingSilent
	alertingWeeks
	alertingFlags
)

func (g *alerting) empty() bool {
	return g.change == 0 && g.timer == 0 && g.silent == 0 && len(g.weeks) == 0 && g.book.Empty()
}

func (g *alerting) encode(w *writer, today Day) {
	base := today.Start()
	head := bit(!g.book.Empty())*alertingBook | bit(g.timer != 0)*alertingTimer |
		bit(g.silent != 0)*alertingSilent | bit(len(g.weeks) > 0)*alertingWeeks
	w.byte(head)
	w.uint(g.change)
	if !g.book.Empty() {
		w.chunk(g.book.Append(nil, base))
	}
	if g.timer != 0 {
		w.int(g.timer - base)
	}
	if g.silent != 0 {
		w.byte(byte(g.silent))
		g.still.encode(w)
	}
	if len(g.weeks) > 0 {
		w.chunk(g.weeks)
	}
}

func (g *alerting) decode(r *reader, today Day) {
	base := today.Start()
	head := r.byte()
	g.change = r.uint()
	if head&alertingBook != 0 {
		book, err := alert.Read(r.chunk(), base)
		if err != nil || book.Empty() {
			r.fail()
		}
		g.book = book
	}
	if head&alertingTimer != 0 {
		g.timer = base + r.int()
	}
	if head&alertingSilent != 0 {
		g.silent = SourceSet(r.byte())
		g.still = decodeStill(r)
		if g.silent == 0 || g.silent>>SourceCount != 0 {
			r.fail()
		}
	}
	if head&alertingWeeks != 0 {
		g.weeks = slices.Clone(r.chunk())
		if kept, ok := readWeeks(g.weeks); !ok || len(kept) == 0 {
			r.fail()
		}
	}
	if head >= alertingFlags {
		r.fail()
	}
	if g.present = false; g.empty() {
		r.fail()
	}
}

// chunk writes bytes behind their length.
func (w *writer) chunk(b []byte) {
	w.count(len(b))
	w.bin(b)
}

// chunk reads bytes behind their length; they are not copied.
func (r *reader) chunk() []byte {
	n := r.count(1)
	b := r.b[r.pos : r.pos+n]
	r.pos += n
	return b
}
