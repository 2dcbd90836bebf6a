package health

import (
	"cmp"
	"fmt"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// DriverKind says what is behind a change; numbers are those of hale.health.v1.Driver.Kind.
type DriverKind uint8

// The kinds.
const (
	DriverFeatureStopped DriverKind = iota + 1
	DriverFeatureStarted
	DriverUserStopped
	DriverUserStarted
	DriverTicketOpened
	DriverTicketClosed
	DriverTicketReopened
	DriverSurveyAnswered
	DriverTouched
	DriverNotTouched
	DriverPulseSet
	DriverMilestoneReached
	DriverMilestoneMissed
	DriverQuantityRose
	DriverQuantityFell
	DriverAgedOut
)

// Driver is an event, or a silence, behind the change of a measure.
type Driver struct {
	Kind DriverKind
	// Subject is the feature, ticket or user it is about; empty where it is about none.
	Subject string
	// Day of it; of a silence the last day before it. Nil: unknown.
	Day *Day
	// Weight orders drivers, the greatest first. Its meaning is that of the kind: days seen, points of a ticket.
	Weight int64
	// Text is a sentence for a person.
	Text string
}

// Span is what happened between the ends of two days, as told by the facts of a later today.
type Span struct {
	Facts *Facts
	// From and To are the two days, Today that of the facts.
	From, To, Today Day
}

// quietDays is from which length of a span on silence in it says something by itself, and how many days a user must
// have been seen before to be missed.
const (
	quietDays  = 7
	regularFor = 4
	userDays   = 28
	// knownDays is how many days back it is known on which of them a user was seen, today included.
	knownDays = 36
)

// Drivers returns what is behind the change of a measure from one value to another, the weightiest first. What
// happened after To hides what was before: of a user or a feature only the last days are known.
func (s *Span) Drivers(c *MeasureChange) []Driver {
	var all []Driver
	switch c.Measure {
	case scorecard.ActiveUsers, scorecard.Stickiness:
		all = s.users(func(*UserFact) bool { return true })
	case scorecard.ChampionSeen:
		all = s.users(func(u *UserFact) bool { return u.Role == roleOfChampion })
	case scorecard.FeaturesUsed:
		all = s.features()
	case scorecard.UsageTrend, scorecard.LoginTrend, scorecard.LoginDays:
		all = s.quantity(c)
	case scorecard.DaysSinceSeen:
		all = s.seen(c)
	case scorecard.OpenTickets, scorecard.TicketVolume, scorecard.ResolutionHours, scorecard.ReopenRate:
		all = s.tickets(c.Measure)
	case scorecard.NPS, scorecard.CSAT, scorecard.CES, scorecard.SurveyResponseRate:
		all = s.surveys(c.Measure)
	case scorecard.Pulse:
		all = s.pulse()
	case scorecard.DaysSinceTouch:
		all = s.touch()
	case scorecard.Milestones:
		all = s.milestones()
	case scorecard.MeasureCount:
	}
	slices.SortStableFunc(all, func(x, y Driver) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Subject, y.Subject))
	})
	return all
}

// holds reports whether a day is in the span.
func (s *Span) holds(d Day) bool { return d > s.From && d <= s.To }

// left reports whether a day was inside a window at the start of the span, and no longer is at its end.
func (s *Span) left(d Day, window Day) bool {
	return d <= s.From && d > s.From-window && d <= s.To-window
}

// length is how many days the span has.
func (s *Span) length() Day { return s.To - s.From }

// window returns the days on which a user was seen in the 28 days that end on a day, a bit each.
func (s *Span) window(u *UserFact, end Day) uint64 {
	if end > s.Today {
		return 0
	}
	return u.Seen >> after(s.Today, end) & (1<<userDays - 1)
}

func (s *Span) users(wanted func(*UserFact) bool) []Driver {
	var all []Driver
	for i := range s.Facts.Users {
		u := &s.Facts.Users[i]
		before, now := ones(s.window(u, s.From)), ones(s.window(u, s.To))
		silent := u.Last != nil && *u.Last <= s.From && *u.Last > s.From-userDays // seen before, and not since
		switch {
		case !wanted(u):
		case silent && (*u.Last <= s.To-userDays || before >= regularFor && s.length() >= quietDays):
			all = append(all, Driver{
				Kind: DriverUserStopped, Subject: u.ID, Day: u.Last, Weight: before,
				Text: fmt.Sprintf("%s was seen on %d of 28 days, and no more%s", u.ID, before, since(u.Last)),
			})
		case before == 0 && now > 0 && s.Today-s.From+userDays <= knownDays: // else it is not known any more
			all = append(all, Driver{
				Kind: DriverUserStarted, Subject: u.ID, Day: u.Last, Weight: now,
				Text: fmt.Sprintf("%s was seen on %d days, and not in the 28 days before", u.ID, now),
			})
		}
	}
	return all
}

// since says from when on there was silence.
func since(last *Day) string {
	if last == nil {
		return ""
	}
	return " since " + last.String()
}

func ones(b uint64) int64 {
	n := int64(0)
	for ; b != 0; b &= b - 1 {
		n++
	}
	return n
}

func (s *Span) features() []Driver {
	var all []Driver
	for i := range s.Facts.Features {
		f := &s.Facts.Features[i]
		fresh := f.Last <= s.From && f.Last > s.From-quietDays && s.length() >= quietDays
		switch {
		case s.holds(f.First):
			all = append(all, Driver{
				Kind: DriverFeatureStarted, Subject: f.Name, Day: &f.First, Weight: int64(f.First - s.From),
				Text: f.Name + " was used for the first time on " + f.First.String(),
			})
		case fresh || s.left(f.Last, featureDays):
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
	sign, n := "", micros/tenth
	if micros < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%d", sign, n/10, n%10)
}

func (s *Span) seen(c *MeasureChange) []Driver {
	last := s.Facts.LastSeen
	if c.To.Known && c.From.Known && c.To.Micros > c.From.Micros && (last == nil || *last <= s.To) {
		return []Driver{{Kind: DriverQuantityFell, Day: last, Text: "nobody was seen" + since(last)}}
	}
	return s.quantity(c)
}

func (s *Span) tickets(m scorecard.Measure) []Driver {
	var all []Driver
	add := func(k DriverKind, t *TicketFact, d Day, what string) {
		all = append(all, Driver{
			Kind: k, Subject: t.ID, Day: &d, Weight: t.Points,
			Text: fmt.Sprintf("ticket %s (%s) %s on %s", t.ID, t.Severity, what, d),
		})
	}
	for i := range s.Facts.Tickets {
		t := &s.Facts.Tickets[i]
		if t.Opened != nil && m != scorecard.ReopenRate && m != scorecard.ResolutionHours {
			switch d := DayOf(*t.Opened); {
			case s.holds(d):
				add(DriverTicketOpened, t, d, "was opened")
			case m == scorecard.TicketVolume && s.left(d, volumeDays):
				add(DriverAgedOut, t, d, "counts no more: it was opened")
			}
		}
		if t.Reopened != nil && m != scorecard.TicketVolume && s.holds(DayOf(*t.Reopened)) {
			add(DriverTicketReopened, t, DayOf(*t.Reopened), "was opened again")
		}
		if t.Closed != nil && m != scorecard.TicketVolume {
			switch d := DayOf(*t.Closed); {
			case s.holds(d) && !(t.Open && m != scorecard.OpenTickets):
				add(DriverTicketClosed, t, d, "was closed")
			case m != scorecard.OpenTickets && s.left(d, resolutionDays):
				add(DriverAgedOut, t, d, "counts no more: it was closed")
			}
		}
	}
	return all
}

func (s *Span) surveys(m scorecard.Measure) []Driver {
	answers, window, unit := func(f *SurveyFact) int64 { return f.Answered }, Day(surveyDays), "surveys were answered"
	switch m {
	case scorecard.NPS:
		answers, unit = func(f *SurveyFact) int64 { return f.NPS }, "nps answers"
	case scorecard.CSAT:
		answers, window, unit = func(f *SurveyFact) int64 { return f.CSAT }, csatDays, "csat answers"
	case scorecard.CES:
		answers, window, unit = func(f *SurveyFact) int64 { return f.CES }, cesDays, "ces answers"
	default:
	}
	var fresh, gone int64
	var last, old *Day
	for i := range s.Facts.Surveys {
		f := &s.Facts.Surveys[i]
		switch n := answers(f); {
		case n == 0:
		case s.holds(f.Day):
			fresh, last = fresh+n, &f.Day
		case s.left(f.Day, window):
			gone, old = gone+n, &f.Day
		}
	}
	var all []Driver
	if fresh > 0 {
		all = append(all, Driver{
			Kind: DriverSurveyAnswered, Day: last, Weight: fresh, Text: fmt.Sprintf("%d %s came in", fresh, unit),
		})
	}
	if gone > 0 {
		all = append(all, Driver{
			Kind: DriverAgedOut, Day: old, Weight: gone, Text: fmt.Sprintf("%d %s are older than %d days now", gone, unit, window),
		})
	}
	return all
}

func (s *Span) pulse() []Driver {
	p := s.Facts.Pulse
	if p == nil {
		return nil
	}
	switch d := DayOf(p.At); {
	case s.holds(d):
		by := ""
		if p.Author != "" {
			by = " by " + p.Author
		}
		return []Driver{{Kind: DriverPulseSet, Day: &d, Text: fmt.Sprintf("the pulse was set to %d on %s%s", p.Pulse, d, by)}}
	case s.left(d, pulseDays):
		return []Driver{{Kind: DriverAgedOut, Day: &d, Text: fmt.Sprintf("the pulse of %s is older than %d days now", d, pulseDays)}}
	}
	return nil
}

func (s *Span) touch() []Driver {
	last := s.Facts.LastTouch
	switch {
	case last == nil:
		return nil
	case s.holds(*last):
		return []Driver{{Kind: DriverTouched, Day: last, Text: "somebody was in touch on " + last.String()}}
	case *last <= s.From:
		return []Driver{{Kind: DriverNotTouched, Day: last, Text: "nobody was in touch" + since(last)}}
	}
	return nil
}

func (s *Span) milestones() []Driver {
	var all []Driver
	for i := range s.Facts.Milestones {
		m := &s.Facts.Milestones[i]
		switch {
		case m.Reached != nil && s.holds(*m.Reached):
			all = append(all, Driver{
				Kind: DriverMilestoneReached, Subject: m.Feature, Day: m.Reached,
				Text: "milestone " + m.Feature + " was reached on " + m.Reached.String(),
			})
		case s.holds(m.Due) && (m.Reached == nil || *m.Reached > s.To):
			all = append(all, Driver{
				Kind: DriverMilestoneMissed, Subject: m.Feature, Day: &m.Due,
				Text: "milestone " + m.Feature + " was due on " + m.Due.String() + ", and was not reached",
			})
		}
	}
	return all
}
