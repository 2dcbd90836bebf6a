package health

import (
	"fmt"
	"math/bits"
)

// window returns the days on which a user was seen in the 28 days that end on a day, a bit each.
func (s *Span) window(u *UserFact, end Day) uint64 {
	if end > s.Today {
		return 0
	}
	return u.Seen >> after(s.Today, end) & (1<<userDays - 1)
}

// users tells of the users that came and went. regular is how many days one must have been seen before to be missed after
// a week.
func (s *Span) users(regular int64, wanted func(*UserFact) bool) []Driver {
	var all []Driver
	for i := range s.Facts.Users {
		u := &s.Facts.Users[i]
		if !wanted(u) || u.Last == nil || *u.Last <= s.From-userDays {
			continue
		}
		before, now := ones(s.window(u, s.From)), s.window(u, s.To)
		known := s.Today-s.From+userDays <= knownDays // whether all of the window before is
		missed := *u.Last <= s.From && before >= regular && s.length() >= quietDays
		switch {
		case missed || *u.Last <= s.To-userDays:
			d := Driver{Kind: DriverUserStopped, Subject: u.ID, Day: u.Last, Weight: before}
			d.Text = fmt.Sprintf("%s was last seen on %s", u.ID, u.Last)
			if known {
				d.Text += fmt.Sprintf(", after %s of 28", count(before, "day"))
			}
			all = append(all, d)
		case known && before == 0 && now != 0:
			first := s.To - Day(bits.Len64(now)-1) //nolint:gosec // 28 days
			all = append(all, Driver{
				Kind: DriverUserStarted, Subject: u.ID, Day: &first, Weight: ones(now),
				Text: fmt.Sprintf("%s was seen on %s, and not in the 28 days before", u.ID, count(ones(now), "day")),
			})
		}
	}
	return all
}

func ones(b uint64) int64 { return int64(bits.OnesCount64(b)) }

// count writes a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// features tells of the features that came and went. One that came and went within the span is neither.
func (s *Span) features() []Driver {
	var all []Driver
	for i := range s.Facts.Features {
		f := &s.Facts.Features[i]
		gone := f.Last <= s.To-featureDays
		missed := f.Last <= s.From && f.Last > s.From-quietDays && s.length() >= quietDays
		switch {
		case s.holds(f.First):
			if !gone {
				all = append(all, Driver{
					Kind: DriverFeatureStarted, Subject: f.Name, Day: &f.First, Weight: int64(s.To - f.First),
					Text: f.Name + " was used for the first time on " + f.First.String(),
				})
			}
		case f.First <= s.From && f.Last > s.From-featureDays && (gone || missed):
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

// tenths writes micros with one decimal, cut off.
func tenths(micros int64) string {
	const tenth = 100_000
	n := micros / tenth
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%d", sign, n/10, n%10)
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
