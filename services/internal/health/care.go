package health

import (
	"strings"

	"hale.dev/services/internal/scorecard"
)

// Override is a score that a person set by hand. It ends with its last day.
type Override struct {
	// Score is 0 to 100, in micros.
	Score          int64
	Author, Reason string
	// SetAt is the log time at which it was set.
	SetAt Time
	// LastDay is the last day on which it holds.
	LastDay Day
}

// care is what people decided about an account.
type care struct {
	override *Override // never changed, only replaced
	goals    []Goal    // by due day, then id; in state 0 until the first evaluation
}

// Override returns the score set by hand that holds today; nil: none does.
func (a *Account) Override() *Override {
	if a.care == nil || a.care.override == nil || a.day > a.care.override.LastDay {
		return nil
	}
	o := *a.care.override
	return &o
}

// SetOverride sets a score by hand, in place of the one before.
func (a *Account) SetOverride(o Override) {
	o.Author, o.Reason = strings.Clone(o.Author), strings.Clone(o.Reason)
	if a.care == nil {
		a.care = &care{}
	}
	a.care.override = &o
}

// ClearOverride ends a score set by hand.
func (a *Account) ClearOverride() {
	if a.care != nil {
		a.care.override = nil
		a.tidyCare()
	}
}

// expire ends a score set by hand whose last day has passed.
func (a *Account) expire() {
	if a.care != nil && a.care.override != nil && a.day > a.care.override.LastDay {
		a.ClearOverride()
	}
}

// tidyCare drops what is empty.
func (a *Account) tidyCare() {
	if a.care.override == nil && len(a.care.goals) == 0 {
		a.care = nil
	}
}

// Effective returns score and band as people should see them: those set by hand where there are some, else the
// computed ones of the last evaluation.
func (a *Account) Effective() (scorecard.Value, Band) {
	if o := a.Override(); o != nil {
		return known(o.Score), plainBand(o.Score)
	}
	return a.result.Score, a.result.Band
}

// MaxGoals is how many goals an account may have.
const MaxGoals = 20

// GoalState is how far a goal is; numbers are those of hale.health.v1.Goal.State.
type GoalState uint8

// The states.
const (
	GoalOpen GoalState = iota + 1
	GoalAchieved
	GoalMissed
)

// Goal is what was agreed on: a measure that has to reach a target, or a feature that has to be in use.
type Goal struct {
	ID, Title string
	// Measure is the one that has to reach Target, unless Feature is set.
	Measure scorecard.Measure
	// Feature has to have been used in the last 30 days; empty: it is about a measure.
	Feature string
	// Target in micros of the measure's unit.
	Target int64
	// AtMost says that the measure has to fall to the target, instead of rising to it.
	AtMost bool
	// Due is the day by whose end it is to be reached.
	Due Day
	// Created is the day on which it was set, Author who did.
	Created Day
	Author  string
	// Start is the measure's value when it was set, Value the one of the last evaluation.
	Start, Value scorecard.Value
	State        GoalState
	// Achieved is the day on which it was reached; it stays reached. 0 unless in GoalAchieved.
	Achieved Day
}
