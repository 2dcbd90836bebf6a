package alert

import (
	"slices"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Time is a log time, in microseconds since 1970.
type Time = int64

const (
	hour = Time(3600) * 1_000_000
	day  = 24 * hour
	// memory is how long it is remembered that a rule fired.
	memory = 7 * day
	// firedKept is how many of these times are kept: as many as make the next alert a flapping one.
	firedKept = 2
	// damping is how long the cause of a flapping alert has to be gone.
	damping = 24 * hour
	// maxEscalation is how many times an alert is escalated.
	maxEscalation = 3
)

// Book is all that is remembered of the alerts of one account, or one source. The zero value is that of one without any.
type Book struct {
	entries []entry // by rule
	next    Time    // the earliest timer; 0: none
}

// entry is what is remembered of a rule.
type entry struct {
	rule string
	// pending is since when the condition holds; 0: it does not, or the alert is open.
	pending Time
	// latched says that the alert was resolved by hand: the rule waits until its condition does not hold.
	latched bool
	// waiting says that a pending rule is held back: no timer runs.
	waiting bool
	// fired are the latest times at which the rule fired, the newest first; 0: none.
	fired [firedKept]Time
	// alert that is open; nil: none.
	alert *Alert
}

// Alert is an open alert.
type Alert struct {
	Since, Fired, StateAt Time
	// restAt is from when on the time to the next escalation runs; clearAt since when the rule is clear, 0: it is not.
	restAt, clearAt Time
	Revision        uint32
	// Version of the rules document by which it fired.
	Version  uint64
	State    alertv1.State
	Severity alertv1.Severity
	// Escalation is how many times it was escalated.
	Escalation   uint32
	Acknowledged string // by whom
	Assignee     string
	SnoozeUntil  Time
	UntilWorse   bool
	// worseBand and worseScore are the account's when it was snoozed; no score: worseScore is below 0.
	worseBand                          uint8
	worseScore                         int64
	Held, Flapping, Quiet, Opportunity bool
	Drivers                            []Driver
}

// Driver is a measure that moved.
type Driver struct {
	// Measure is its number in package scorecard.
	Measure uint8
	// Before and After are its values; nil: no data.
	Before, After *int64
	// Change of the score by it, in micros.
	Change int64
	// Day at whose end it was measured before, in days since 1970; 0: none.
	Day int32
}

// Empty reports whether nothing is remembered.
func (b *Book) Empty() bool { return len(b.entries) == 0 }

// Next returns the time of the earliest timer; 0: none is set.
func (b *Book) Next() Time { return b.next }

// Open returns how many alerts are open.
func (b *Book) Open() int {
	n := 0
	for i := range b.entries {
		if b.entries[i].alert != nil {
			n++
		}
	}
	return n
}

// find returns the entry of a rule; nil: there is none.
func (b *Book) find(rule string) *entry {
	i, ok := b.place(rule)
	if !ok {
		return nil
	}
	return &b.entries[i]
}

// make returns the entry of a rule, added if need be.
func (b *Book) make(rule string) *entry {
	i, ok := b.place(rule)
	if !ok {
		b.entries = slices.Insert(b.entries, i, entry{rule: strings.Clone(rule)})
	}
	return &b.entries[i]
}

func (b *Book) place(rule string) (int, bool) {
	return slices.BinarySearchFunc(b.entries, rule, func(e entry, rule string) int { return strings.Compare(e.rule, rule) })
}

// open reports whether an alert of the rule is open.
func (b *Book) open(rule string) bool {
	e := b.find(rule)
	return e != nil && e.alert != nil
}

// Forget drops what says nothing any more at a time. It is part of a review: where one is left out because nothing can
// happen, Forget takes its place, so that what is remembered does not depend on that.
func (b *Book) Forget(now Time) {
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool {
		return e.alert == nil && e.pending == 0 && !e.latched && e.fired[0] <= now-memory
	})
	if len(b.entries) == 0 {
		b.entries = nil
	}
}

// settle ends a review or a command: what says nothing any more is forgotten, and the earliest timer found.
func (b *Book) settle(r *Review) {
	b.Forget(r.At)
	b.next = 0
	for i := range b.entries {
		e := &b.entries[i]
		for _, t := range [...]Time{e.fireAt(r), e.wakeAt(), e.escalateAt(r), e.endAt(r)} {
			if t != 0 && (b.next == 0 || t < b.next) {
				b.next = t
			}
		}
	}
}

// fireAt is when a pending rule fires; 0: no timer runs.
func (e *entry) fireAt(r *Review) Time {
	rule := r.Rules.Rule(e.rule)
	if e.pending == 0 || e.waiting || e.latched || e.alert != nil || rule == nil {
		return 0
	}
	return max(e.pending+rule.For, e.fired[0]+1)
}

// wakeAt is when a snoozed alert wakes; 0: no timer runs.
func (e *entry) wakeAt() Time {
	if e.alert == nil || e.alert.State != alertv1.State_STATE_SNOOZED {
		return 0
	}
	return e.alert.SnoozeUntil
}

// escalateAt is when a firing alert is escalated; 0: no timer runs.
func (e *entry) escalateAt(r *Review) Time {
	a, rule := e.alert, r.Rules.Rule(e.rule)
	if a == nil || rule == nil || rule.EscalateAfter == 0 || a.Held ||
		a.State != alertv1.State_STATE_FIRING || a.Escalation >= maxEscalation {
		return 0
	}
	return a.restAt + rule.EscalateAfter
}

// endAt is when an alert whose rule is clear ends; 0: no timer runs.
func (e *entry) endAt(r *Review) Time {
	if e.alert == nil || e.alert.clearAt == 0 {
		return 0
	}
	return e.alert.clearAt + e.keep(r)
}

// keep is for how long the rule of an open alert has to be clear.
func (e *entry) keep(r *Review) Time {
	var keep Time
	if rule := r.Rules.Rule(e.rule); rule != nil {
		keep = rule.KeepFiringFor
	}
	if e.alert.Flapping {
		keep = max(keep, damping)
	}
	return keep
}
