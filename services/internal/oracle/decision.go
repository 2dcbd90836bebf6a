package oracle

import (
	"cmp"
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/scorecard"
)

// Override is a score set by hand.
type Override struct {
	Set    *logv1.SetOverride
	Author string
	SetAt  int64
}

// Goal is what was agreed on.
type Goal struct {
	Set      *logv1.SetGoal
	Author   string
	Created  Day
	Start    scorecard.Value
	Value    scorecard.Value
	State    string // "new" until the first evaluation; then "open", "achieved", "missed"
	Achieved Day
}

// Override returns the score set by hand that holds on the account's day, or nil.
func (a *Account) Override() *Override {
	if a.override == nil || Day(a.override.Set.GetLastDay()) < a.Day {
		return nil
	}
	return a.override
}

// Goals returns the goals by due day, then id.
func (a *Account) Goals() []Goal {
	var goals []Goal
	for _, g := range a.goals {
		goals = append(goals, *g)
	}
	slices.SortFunc(goals, func(x, y Goal) int {
		return cmp.Or(cmp.Compare(x.Set.GetDueDay(), y.Set.GetDueDay()), cmp.Compare(x.Set.GetGoalId(), y.Set.GetGoalId()))
	})
	return goals
}

// command applies a command about an account.
func (w *World) command(workspace string, c *logv1.AccountCommand) {
	a := w.accounts[Key{Workspace: workspace, Account: c.GetAccountId()}]
	if a != nil {
		if at, ok := a.decided[c.GetCommandId()]; ok && w.logTime-at <= remembered {
			return
		}
	}
	if code := w.refuseCommand(a, c); code != "" {
		w.rejects = append(w.rejects, Rejected{
			Workspace: workspace, Account: c.GetAccountId(), MessageID: c.GetCommandId(), Code: code,
		})
		return
	}
	a.decided[c.GetCommandId()] = w.logTime
	switch {
	case c.GetSetOverride() != nil:
		a.override = &Override{Set: c.GetSetOverride(), Author: c.GetAuthor(), SetAt: w.logTime}
	case c.GetClearOverride() != nil:
		a.override = nil
	case c.GetDeleteGoal() != nil:
		delete(a.goals, c.GetDeleteGoal().GetGoalId())
	default:
		a.setGoal(c.GetSetGoal(), c.GetAuthor(), DayOf(w.logTime))
	}
}

// setGoal sets a goal or changes it.
func (a *Account) setGoal(s *logv1.SetGoal, author string, today Day) {
	a.touched = true
	old := a.goals[s.GetGoalId()]
	same := old != nil && old.Set.GetMeasure() == s.GetMeasure() && old.Set.GetFeature() == s.GetFeature() &&
		old.Set.GetTargetMicros() == s.GetTargetMicros() && old.Set.GetAtMost() == s.GetAtMost()
	if !same {
		a.goals[s.GetGoalId()] = &Goal{Set: s, Author: author, Created: today, State: "new"}
		return
	}
	old.Set = s
	if old.State == "missed" && Day(s.GetDueDay()) >= today {
		old.State = "open"
	}
}

// review looks how far the goals are after an evaluation.
func (a *Account) review(e *Evaluation) {
	for _, g := range a.goals {
		if m, ok := scorecard.MeasureByName(g.Set.GetMeasure()); ok {
			g.Value = e.Measures[m]
		}
		if g.State == "new" {
			g.State, g.Start = "open", g.Value
		}
		if g.State != "open" {
			continue
		}
		if a.Day > Day(g.Set.GetDueDay()) {
			g.State = "missed"
		} else if a.reached(g) {
			g.State, g.Achieved = "achieved", a.Day
		}
	}
}

// reached tells whether what a goal wants is so on the account's day.
func (a *Account) reached(g *Goal) bool {
	if feature := g.Set.GetFeature(); feature != "" {
		return slices.ContainsFunc(a.Events, func(e Timed) bool {
			return e.Event.GetUsage().GetFeature() == feature && within(e, a.Day-29, a.Day)
		})
	}
	switch {
	case !g.Value.Known:
		return false
	case g.Set.GetAtMost():
		return g.Value.Micros <= g.Set.GetTargetMicros()
	default:
		return g.Value.Micros >= g.Set.GetTargetMicros()
	}
}

// refuseCommand returns the code for which a command is refused, or nothing.
func (w *World) refuseCommand(a *Account, c *logv1.AccountCommand) string {
	const mostGoals = 20
	override, goal, dropped := c.GetSetOverride(), c.GetSetGoal(), c.GetDeleteGoal()
	switch {
	case !id(c.GetCommandId()), !id(c.GetAccountId()), len(c.GetAuthor()) > longestID:
		return "invalid_value"
	case c.GetCommand() == nil:
		return "missing_body"
	case override != nil && badOverride(override, DayOf(w.logTime)), goal != nil && badGoal(goal),
		dropped != nil && !id(dropped.GetGoalId()):
		return "invalid_value"
	case a == nil:
		return "unknown_account"
	case goal != nil && a.goals[goal.GetGoalId()] == nil && len(a.goals) >= mostGoals:
		return "too_many_goals"
	case dropped != nil && a.goals[dropped.GetGoalId()] == nil:
		return "unknown_goal"
	default:
		return ""
	}
}

const (
	// longestID is how many bytes ids of commands, their accounts and goals, and authors may have.
	longestID = 256
	// lastDay is 9999-12-31.
	lastDay = 2_932_896
)

func id(s string) bool { return s != "" && len(s) <= longestID }

func badOverride(o *logv1.SetOverride, today Day) bool {
	return o.GetScoreMicros() < 0 || o.GetScoreMicros() > 100_000_000 || len(o.GetReason()) > longest ||
		Day(o.GetLastDay()) < today || o.GetLastDay() > lastDay
}

func badGoal(g *logv1.SetGoal) bool {
	const target = 1_000_000_000_000_000_000
	_, measure := scorecard.MeasureByName(g.GetMeasure())
	return !id(g.GetGoalId()) || len(g.GetTitle()) > longest || len(g.GetFeature()) > longest ||
		(g.GetMeasure() == "") == (g.GetFeature() == "") || (g.GetMeasure() != "" && !measure) ||
		g.GetTargetMicros() < -target || g.GetTargetMicros() > target || g.GetDueDay() < 0 || g.GetDueDay() > lastDay
}

// Month is how a month ended.
type Month struct {
	Day     Day // the last of the month
	Score   scorecard.Value
	Band    string
	ARR     scorecard.Value
	Renewal string // "": none
}

// month makes of the row of a month's last day how the month ended.
func (a *Account) month(r Row) Month {
	m := Month{Day: r.Day, Score: scorecard.Value{Micros: r.Evaluation.Score, Known: r.Evaluation.Known}, Band: r.Band}
	p := a.ledger().profile
	m.ARR.Micros, m.ARR.Known = p.number["arr"]
	if _, ok := p.date("renewal_date"); ok {
		m.Renewal = p.text["renewal_date"]
	}
	return m
}

// Pulse returns the latest interaction with a pulse, or nil.
func (a *Account) Pulse() *eventv1.Interaction {
	e, ok := a.ledger().latest(func(e *eventv1.Event) bool {
		return e.GetInteraction() != nil && e.GetInteraction().Pulse != nil
	})
	if !ok {
		return nil
	}
	return e.Event.GetInteraction()
}
