package health

import (
	"fmt"
	"math/bits"

	"hale.dev/services/internal/fixed"
)

// window returns the days on which a user was seen in the 28 days that end on a day, a bit each.
func (s *Span) window(u *UserFact, end Day) uint64 {
	if end > s.Today {
		return 0
	}
	return u.Seen >> after(s.Today, end) & (1<<userDays - 1)
}

// users tells of the users that came and went: who left the window, and who came regularly and became quiet.
func (s *Span) users() []Driver {
	var all []Driver
	for i := range s.Facts.Users {
		u := &s.Facts.Users[i]
		if u.Last == nil {
			continue
		}
		before, now := ones(s.window(u, s.From)), s.window(u, s.To)
		switch {
		case s.became(*u.Last, userDays), s.became(*u.Last, quietDays) && before >= regularFor:
			all = append(all, s.stopped(u))
		case s.remembers() && before == 0 && now != 0:
			first := s.To - Day(bits.Len64(now)-1) //nolint:gosec // 28 days
			all = append(all, Driver{
				Kind: DriverUserStarted, Subject: u.ID, Day: &first, Weight: ones(now),
				Text: fmt.Sprintf("%s was seen on %s, and not in the 28 days before", u.ID, count(ones(now), "day")),
			})
		}
	}
	return all
}

// champions tells of the champions who were not seen in the span, or became quiet in it.
func (s *Span) champions() []Driver {
	var all []Driver
	for i := range s.Facts.Users {
		u := &s.Facts.Users[i]
		if u.Role == roleOfChampion && u.Last != nil && (*u.Last <= s.From || s.became(*u.Last, quietDays)) {
			all = append(all, s.stopped(u))
		}
	}
	return all
}

// stopped says that a user was seen no more.
func (s *Span) stopped(u *UserFact) Driver {
	d := Driver{Kind: DriverUserStopped, Subject: u.ID, Day: u.Last, Weight: ones(s.window(u, s.From))}
	d.Text = fmt.Sprintf("%s was last seen on %s", u.ID, u.Last)
	if s.remembers() && d.Weight > 0 {
		d.Text += fmt.Sprintf(", after %s of 28", count(d.Weight, "day"))
	}
	return d
}

// remembers reports whether it is known on which of the 28 days before the span users were seen.
func (s *Span) remembers() bool { return s.Today-s.From+userDays <= knownDays }

// became reports whether something that was last so on a day became so many days old within the span.
func (s *Span) became(last, days Day) bool { return last > s.From-days && last <= s.To-days }

func ones(b uint64) int64 { return int64(bits.OnesCount64(b)) }

// count writes a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// features tells of the features that came and went: that left the window, or became quiet. One that came and left the
// window within the span is neither.
func (s *Span) features() []Driver {
	var all []Driver
	for i := range s.Facts.Features {
		f := &s.Facts.Features[i]
		gone := f.Last <= s.To-featureDays
		switch {
		case s.holds(f.First):
			if !gone {
				all = append(all, Driver{
					Kind: DriverFeatureStarted, Subject: f.Name, Day: &f.First, Weight: int64(s.To - f.First),
					Text: f.Name + " was used for the first time on " + f.First.String(),
				})
			}
		case f.First <= s.From && (s.became(f.Last, featureDays) || s.became(f.Last, quietDays)):
			all = append(all, Driver{
				Kind: DriverFeatureStopped, Subject: f.Name, Day: &f.Last, Weight: int64(f.Last - f.First),
				Text: f.Name + " was used for the last time on " + f.Last.String(),
			})
		}
	}
	return all
}

// quantity tells of amounts: the facts have no more of them than the measure itself.
func (s *Span) quantity(c *MeasureChange) []Driver {
	if !c.From.Known || !c.To.Known || c.From == c.To {
		return nil
	}
	d := Driver{Kind: DriverQuantityRose, Text: c.Measure.Name() + " rose from "}
	if c.To.Micros < c.From.Micros {
		d = Driver{Kind: DriverQuantityFell, Text: c.Measure.Name() + " fell from "}
	}
	d.Text += tenths(c.From.Micros) + " to " + tenths(c.To.Micros) + " " + c.Measure.Unit()
	return []Driver{d}
}

// tenths writes micros with one decimal, rounded half away from zero.
func tenths(micros int64) string {
	const tenth, whole = 100_000, 10
	n := fixed.MulDiv(micros, 1, tenth)
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%d", sign, n/whole, n%whole)
}

// seen tells whether anybody was: more days since mean less usage.
func (s *Span) seen(c *MeasureChange) []Driver {
	all := s.quantity(c)
	last := s.Facts.LastSeen
	if len(all) == 0 {
		return nil
	}
	rose := c.To.Micros < c.From.Micros
	all[0].Kind = DriverQuantityFell
	if rose {
		all[0].Kind = DriverQuantityRose
	}
	if last == nil || *last > s.To { // what was at the span's end is hidden
		return all
	}
	all[0].Day = last
	all[0].Text = "nobody was seen since " + last.String()
	if rose {
		all[0].Text = "somebody was seen on " + last.String()
	}
	return all
}
