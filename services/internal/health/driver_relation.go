package health

import "fmt"

// pulse tells of the latest rating.
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
		return []Driver{{
			Kind: DriverAgedOut, Day: &d, Text: fmt.Sprintf("the pulse of %s counted no more after %d days", d, pulseDays),
		}}
	}
	return nil
}

// touch tells whether anybody was in touch: not, where the days since became more.
func (s *Span) touch(c *MeasureChange) []Driver {
	last := s.Facts.LastTouch
	longer := c.From.Known && c.To.Micros > c.From.Micros
	switch {
	case last == nil || *last > s.To:
		return nil
	case longer || *last <= s.From:
		return []Driver{{Kind: DriverNotTouched, Day: last, Text: "nobody was in touch since " + last.String()}}
	}
	return []Driver{{Kind: DriverTouched, Day: last, Text: "somebody was in touch on " + last.String()}}
}

// milestones tells of those reached in the span, and of those that became due in it and were not.
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
