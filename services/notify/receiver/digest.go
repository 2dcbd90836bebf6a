package receiver

import (
	"slices"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/matcher"
)

// Digest tells each owner at set times what happened to the owner's accounts.
type Digest struct {
	// Name of the digest, unique in its workspace.
	Name string
	// Receiver by name.
	Receiver string
	// Location whose clocks count.
	Location *time.Location
	// Days on which it is made; none: every day.
	Days []time.Weekday
	// At is the minute of the day.
	At int
	// Matchers that an owner has to match, all of them; none: every owner.
	Matchers []matcher.Matcher
}

// maxGap is how many days may lie between two digests, and a day for changes of clocks.
const maxGap = 8

// Last returns the last period that was over at t: from when to when. There is one for each day on which it is made,
// whatever is done to the clocks.
func (d *Digest) Last(t time.Time) (from, to time.Time) {
	year, month, day := t.In(d.Location).Date()

	for back := -1; back <= 2*maxGap; back++ {
		at, made := d.on(year, month, day-back)
		if !made || at.After(t) {
			continue
		}

		if !to.IsZero() {
			return at, to
		}

		to = at
	}

	return from, to
}

// Next returns the end of the first period that is not over at t.
func (d *Digest) Next(t time.Time) time.Time {
	year, month, day := t.In(d.Location).Date()

	for ahead := -1; ; ahead++ {
		if at, made := d.on(year, month, day+ahead); made && at.After(t) {
			return at
		}
	}
}

// on returns when it is made on a day, if it is.
func (d *Digest) on(year int, month time.Month, day int) (time.Time, bool) {
	q := &Quiet{Location: d.Location}
	if len(d.Days) > 0 && !slices.Contains(d.Days, q.weekday(year, month, day)) {
		return time.Time{}, false
	}

	return q.wall(year, month, day, d.At), true
}

// Wants tells whether an owner is told.
func (d *Digest) Wants(owner string) bool {
	return owner != "" && matcher.All(d.Matchers, &alertv1.Alert{Subject: &alertv1.Subject{Owner: owner}})
}

// Digest returns the digest of a name; nil: there is none.
func (s *Set) Digest(name string) *Digest {
	if s == nil {
		return nil
	}

	for _, d := range s.Digests {
		if d.Name == name {
			return d
		}
	}

	return nil
}
