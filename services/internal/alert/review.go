package alert

import (
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/rule"
)

// Notes of transitions that no person made.
const (
	noteClear      = "clear"
	noteOutOfScope = "out_of_scope"
	noteRemoved    = "rule_removed"
	noteTime       = "time"
	noteWorse      = "worse"
)

// worseBy is how much lower a score has to be than when the alert was snoozed, in micros.
const worseBy = 10_000_000

// heldByChurn is what holds the alerts of customers who left.
const heldByChurn = "churned"

// Key says whose alerts these are. One of Account and Source is empty.
type Key struct{ Workspace, Account, Source string }

// Condition is what a rule's conditions come to.
type Condition struct {
	// Out says that the rule's scope leaves the account out; Holds that its condition holds; Clear that it is over.
	Out, Holds, Clear bool
}

// Review is what a review of one account, or one source, goes by.
type Review struct {
	Key

	// At is its time.
	At Time
	// Rules in force. Those for another kind of thing are passed over.
	Rules *rule.Set
	// Conditions returns what a rule's conditions come to. It is not asked while Churned.
	Conditions func(*rule.Rule) Condition
	// Churned says that the customer left.
	Churned bool
	// Silent reports whether a source is silent.
	Silent func(source string) bool
	// Quiet says that what fires now is not delivered.
	Quiet bool
	// Band is the account's as a number that grows with health, 0: unknown; Score its score in micros, below 0: none.
	Band  uint8
	Score int64
	// Owner is the account's success manager.
	Owner string
	// Subject describes the account as it is.
	Subject func() *alertv1.Subject
	// Drivers says what moved, for a rule that fires.
	Drivers func(*rule.Rule) []Driver
}

// Review brings the alerts up to date and returns what happened, in order.
func (b *Book) Review(r *Review) []*alertv1.Transition {
	w := work{book: b, review: r}
	rules := r.Rules.Ordered(r.Source != "")
	w.dropRemoved()
	for _, one := range rules {
		w.wake(one)
	}
	conditions := make([]Condition, len(rules))
	if !r.Churned {
		for i, one := range rules {
			conditions[i] = r.Conditions(one)
		}
	}
	for i, one := range rules {
		w.judge(one, conditions[i])
	}
	b.settle(r)
	return w.transitions
}

// work is a review, or a command, under way.
type work struct {
	book        *Book
	review      *Review
	transitions []*alertv1.Transition
	subject     *alertv1.Subject
}

// dropRemoved ends the alerts of rules that are no longer there.
func (w *work) dropRemoved() {
	for i := range w.book.entries {
		e := &w.book.entries[i]
		if one := w.review.Rules.Rule(e.rule); one != nil && one.OnSource == (w.review.Source != "") {
			continue
		}
		e.pending, e.latched = 0, false
		if e.alert != nil {
			w.resolve(e, "", noteRemoved, "")
		}
	}
}

// wake wakes and escalates what is due.
func (w *work) wake(one *rule.Rule) {
	e := w.book.find(one.Name)
	if e == nil || e.alert == nil {
		return
	}
	a, now := e.alert, w.review.At
	if a.State == alertv1.State_STATE_SNOOZED {
		switch {
		case now >= a.SnoozeUntil:
			w.rouse(e, noteTime)
		case a.UntilWorse && w.worse(a):
			w.rouse(e, noteWorse)
		}
	}
	if at := e.escalateAt(w.review); at != 0 && now >= at {
		a.Escalation++
		a.restAt = now
		w.record(e, alertv1.Transition_KIND_ESCALATED, "", "", "")
	}
}

func (w *work) rouse(e *entry, note string) {
	a := e.alert
	w.enter(a, alertv1.State_STATE_FIRING)
	a.restAt, a.Acknowledged = w.review.At, ""
	w.record(e, alertv1.Transition_KIND_WOKE, "", note, "")
}

// worse reports whether the account is worse than when the alert was snoozed.
func (w *work) worse(a *Alert) bool {
	r := w.review
	if r.Band != 0 && a.worseBand != 0 && r.Band < a.worseBand {
		return true
	}
	return r.Score >= 0 && a.worseScore >= 0 && r.Score <= a.worseScore-worseBy
}

// judge lets a rule fire, its alert end, be held or released.
func (w *work) judge(one *rule.Rule, c Condition) {
	e := w.book.find(one.Name)
	switch {
	case e != nil && e.alert != nil:
		w.judgeOpen(e, one, c)
	case c.Holds && !c.Out:
		w.judgePending(w.book.make(one.Name), one)
	case e != nil:
		e.pending, e.latched, e.waiting = 0, false, false
	}
}

func (w *work) judgeOpen(e *entry, one *rule.Rule, c Condition) {
	a, now := e.alert, w.review.At
	switch {
	case w.review.Churned:
		a.clearAt = 0
	case c.Out:
		w.resolve(e, "", noteOutOfScope, "")
		return
	case !c.Clear:
		a.clearAt = 0
	case a.clearAt == 0:
		a.clearAt = now
	}
	if at := e.endAt(w.review); at != 0 && now >= at {
		w.resolve(e, "", noteClear, "")
		return
	}
	switch held := len(w.heldBy(one)) > 0; {
	case held && !a.Held:
		a.Held = true
		w.record(e, alertv1.Transition_KIND_HELD, "", "", "")
	case !held && a.Held:
		a.Held, a.restAt = false, now
		w.record(e, alertv1.Transition_KIND_RELEASED, "", "", "")
	}
}

func (w *work) judgePending(e *entry, one *rule.Rule) {
	now := w.review.At
	if e.latched {
		return
	}
	if e.pending == 0 {
		e.pending = now
	}
	e.waiting = false
	if now < e.fireAt(w.review) {
		return
	}
	if e.waiting = len(w.heldBy(one)) > 0; e.waiting {
		return
	}
	w.fire(e, one)
}

// fire begins an alert.
func (w *work) fire(e *entry, one *rule.Rule) {
	r := w.review
	a := &Alert{
		Since: e.pending, Fired: r.At, StateAt: r.At, restAt: r.At, Version: r.Rules.Version,
		State: alertv1.State_STATE_FIRING, Severity: alertv1.Severity(one.Severity),
		Assignee: one.Owner, Quiet: r.Quiet, Opportunity: one.Opportunity,
		Flapping: e.fired[firedKept-1] > r.At-memory && e.fired[firedKept-1] != 0,
	}
	if one.Owner == rule.OwnerAccount {
		a.Assignee = r.Owner
	}
	if r.Drivers != nil {
		a.Drivers = r.Drivers(one)
	}
	copy(e.fired[1:], e.fired[:])
	e.fired[0], e.pending, e.alert = r.At, 0, a
	w.record(e, alertv1.Transition_KIND_FIRED, "", "", "")
}

// resolve ends an alert.
func (w *work) resolve(e *entry, author, note, command string) {
	a := e.alert
	w.enter(a, alertv1.State_STATE_RESOLVED)
	w.record(e, alertv1.Transition_KIND_RESOLVED, author, note, command)
	e.alert = nil
}

// heldBy names what holds alerts of the rule back.
func (w *work) heldBy(one *rule.Rule) []string {
	var by []string
	if w.review.Churned {
		by = append(by, heldByChurn)
	}
	for _, name := range one.InhibitedBy {
		if w.book.open(name) {
			by = append(by, name)
		}
	}
	for _, source := range one.Sources {
		if w.review.Source == "" && w.review.Silent != nil && w.review.Silent(source) {
			by = append(by, "source:"+source)
		}
	}
	return by
}
