package health

import "hale.dev/services/internal/scorecard"

// Flags of a goal; below them stands its state.
const (
	goalStates = 3
	goalAtMost = 1 << (iota + 1)
	goalFeature
	goalStart
	goalValue
)

// encode writes what people decided: how many goals and whether there is an override, then these.
func (c *care) encode(w *writer, today Day) {
	w.byte(byte(len(c.goals))<<1 | bit(c.override != nil)) //nolint:gosec // at most MaxGoals
	if o := c.override; o != nil {
		w.int(o.Score)
		w.text(o.Author)
		w.text(o.Reason)
		w.int(o.SetAt)
		w.int(int64(o.LastDay) - int64(today))
	}
	for i := range c.goals {
		c.goals[i].encode(w, today)
	}
}

func (g *Goal) encode(w *writer, today Day) {
	head := byte(g.State)
	for _, f := range [...]struct {
		set  bool
		flag byte
	}{
		{g.AtMost, goalAtMost}, {g.Feature != "", goalFeature}, {g.Start.Known, goalStart}, {g.Value.Known, goalValue},
	} {
		if f.set {
			head |= f.flag
		}
	}
	w.byte(head)
	w.text(g.ID)
	w.text(g.Title)
	w.text(g.Author)
	if g.Feature != "" {
		w.text(g.Feature)
	} else {
		w.byte(byte(g.Measure))
	}
	w.amount(g.Target)
	w.int(int64(g.Due) - int64(today))
	w.int(int64(g.Created) - int64(today))
	if g.Start.Known {
		w.amount(g.Start.Micros)
	}
	if g.Value.Known {
		w.amount(g.Value.Micros)
	}
	if g.State == GoalAchieved {
		w.int(int64(g.Achieved) - int64(today))
	}
}

// decodeCare reads what encode wrote.
func decodeCare(r *reader, today Day) *care {
	c := &care{}
	head := r.byte()
	if head&1 != 0 {
		c.override = &Override{Score: r.int(), Author: r.text(), Reason: r.text(), SetAt: r.int(), LastDay: r.day(today)}
	}
	if n := int(head >> 1); n > 0 && n <= MaxGoals {
		c.goals = make([]Goal, n)
	}
	for i := range c.goals {
		c.goals[i].decode(r, today)
		if i > 0 && compareGoals(c.goals[i-1], c.goals[i]) >= 0 {
			r.fail()
		}
	}
	if head == 0 || head>>1 > MaxGoals || (c.override != nil && (c.override.Score < 0 || c.override.Score > percent)) {
		r.fail()
	}
	return c
}

func (g *Goal) decode(r *reader, today Day) {
	head := r.byte()
	g.State, g.AtMost = GoalState(head&goalStates), head&goalAtMost != 0
	g.ID, g.Title, g.Author = r.text(), r.text(), r.text()
	if head&goalFeature != 0 {
		g.Feature = r.text()
	} else {
		g.Measure = scorecard.Measure(r.byte())
	}
	g.Target = r.amount()
	g.Due, g.Created = r.day(today), r.day(today)
	if head&goalStart != 0 {
		g.Start = known(r.amount())
	}
	if head&goalValue != 0 {
		g.Value = known(r.amount())
	}
	if g.State == GoalAchieved {
		g.Achieved = r.day(today)
	}
	if head >= goalValue<<1 || g.Measure >= scorecard.MeasureCount || (head&goalFeature != 0) != (g.Feature != "") {
		r.fail()
		*g = Goal{}
	}
}
