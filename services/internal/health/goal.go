package health

import (
	"cmp"
	"slices"
	"strings"

	"hale.dev/services/internal/scorecard"
)

// Goals returns the goals as of the last evaluation, by due day, then id.
func (a *Account) Goals() []Goal {
	if a.care == nil {
		return nil
	}
	goals := slices.Clone(a.care.goals)
	for i := range goals {
		goals[i].State = max(goals[i].State, GoalOpen)
	}
	return goals
}

// HasGoal reports whether there is a goal of that id.
func (a *Account) HasGoal(id string) bool { return a.findGoal(id) >= 0 }

// RoomForGoal looks whether a goal of that id can be set; nil: it can.
func (a *Account) RoomForGoal(id string) *Refusal {
	if a.care == nil || len(a.care.goals) < MaxGoals || a.HasGoal(id) {
		return nil
	}
	return &Refusal{CodeTooManyGoals, "set_goal.goal_id", "the account has 20 goals"}
}

func (a *Account) findGoal(id string) int {
	if a.care == nil {
		return -1
	}
	return slices.IndexFunc(a.care.goals, func(g Goal) bool { return g.ID == id })
}

// SetGoal sets a goal, for which there is room, or changes the one of its id. One that now aims at something else
// starts anew; else only title and due day change, and one that was missed is open again if it is due later.
func (a *Account) SetGoal(g Goal) {
	if a.care == nil {
		a.care = &care{}
	}
	c, today := a.care, g.Created
	for _, text := range []*string{&g.ID, &g.Title, &g.Feature, &g.Author} {
		*text = strings.Clone(*text)
	}
	g.Start, g.Value, g.State, g.Achieved = scorecard.Value{}, scorecard.Value{}, 0, 0
	if i := a.findGoal(g.ID); i >= 0 {
		if old := c.goals[i]; old.sameAim(&g) {
			old.Title, old.Due = g.Title, g.Due
			if old.State == GoalMissed && old.Due >= today {
				old.State = GoalOpen
			}
			g = old
		}
		c.goals = slices.Delete(c.goals, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(c.goals, g, compareGoals)
	c.goals = slices.Insert(c.goals, at, g)
	a.dirty = true
}

// DeleteGoal drops a goal.
func (a *Account) DeleteGoal(id string) {
	if i := a.findGoal(id); i >= 0 {
		a.care.goals = slices.Delete(a.care.goals, i, i+1)
		a.tidyCare()
	}
}

func compareGoals(x, y Goal) int {
	return cmp.Or(cmp.Compare(x.Due, y.Due), cmp.Compare(x.ID, y.ID))
}

// sameAim reports whether both want the same to be reached.
func (g *Goal) sameAim(o *Goal) bool {
	return g.Measure == o.Measure && g.Feature == o.Feature && g.Target == o.Target && g.AtMost == o.AtMost
}

// reviewGoals brings the goals up to date with the measures of today's evaluation.
func (a *Account) reviewGoals(values *scorecard.Values) {
	if a.care == nil {
		return
	}
	for i := range a.care.goals {
		g := &a.care.goals[i]
		if g.Feature == "" {
			g.Value = values[g.Measure]
		}
		if g.State == 0 {
			g.Start, g.State = g.Value, GoalOpen
		}
		switch {
		case g.State != GoalOpen:
		case a.day > g.Due:
			g.State = GoalMissed
		case a.reached(g):
			g.State, g.Achieved = GoalAchieved, a.day
		}
	}
}

// reached reports whether today is as the goal wants it.
func (a *Account) reached(g *Goal) bool {
	if g.Feature != "" {
		f, _ := a.features.find(g.Feature)
		return f != nil && inWindow(f.last, a.day, featureDays)
	}
	if g.AtMost {
		return g.Value.Known && g.Value.Micros <= g.Target
	}
	return g.Value.Known && g.Value.Micros >= g.Target
}

// wanted reports whether a feature is that of a goal.
func (a *Account) wanted(feature string) bool {
	return a.care != nil && slices.ContainsFunc(a.care.goals, func(g Goal) bool { return g.Feature == feature })
}
