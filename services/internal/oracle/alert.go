package oracle

import (
	"slices"

	"hale.dev/services/internal/rule"
)

// This file and the others named alert*.go are written from docs/alerts.md.

// Subject is what alerts are about: an account, or a source of a workspace.
type Subject struct{ Workspace, Account, Source string }

// Transition is one thing that happened to an alert, and the alert after it.
type Transition struct {
	Subject

	AlertID   string
	Revision  int
	Kind      string
	At        int64
	Author    string
	Note      string
	CommandID string
	Alert     Alert
}

// Alert is what is known of an alert.
type Alert struct {
	Rule       string
	Since      int64
	Fired      int64
	Entered    int64 // when it came into its state
	Resolved   int64 // 0: it is open
	State      string
	HeldBy     []string
	Escalation int
	Flapping   bool
	Quiet      bool
	Assignee   string
	TakenBy    string // who acknowledged it
	Until      int64  // when it wakes; 0: it is not snoozed
	UntilWorse bool
	Drivers    []Driver
}

const (
	firing       = "firing"
	acknowledged = "acknowledged"
	snoozed      = "snoozed"
	resolved     = "resolved"
)

// bookEntry is what is known of a rule for one subject.
type bookEntry struct {
	pending bool
	since   int64   // pending since
	fires   []int64 // when it fired
	barred  bool    // resolved by hand, and its condition has held at every review since

	open  *openAlert
	clear int64 // at every review since then it was clear; -1: it was not
}

// openAlert is an alert that has not ended.
type openAlert struct {
	Alert

	id       string
	revision int
	waiting  int64 // since when nobody takes it up, for escalation
	held     bool  // what was last said of it
	slept    sight // what the account looked like when it was snoozed
}

// sight is how an account looks.
type sight struct {
	band  string
	score int64
	known bool
}

// book is all alerts of one subject.
type book struct {
	subject Subject
	entries map[string]*bookEntry
	// Log is every transition, in order.
	log      []Transition
	reviewed int64 // the time of the last review
}

func newBook(s Subject) *book {
	return &book{subject: s, entries: map[string]*bookEntry{}, reviewed: -1}
}

// review is a review of one subject.
type review struct {
	*book

	at    int64
	quiet bool
	gone  bool // the account is churned
	set   *rule.Set
	name  func(s Subject, rule string, fired int64) string
	look  sight
	owner string
	// judge says what a rule's conditions come to. Not called for an account that is churned.
	judge func(r *rule.Rule) (holds, over bool)
	// inside says whether a rule's scope has the account in it.
	inside func(r *rule.Rule) bool
	silent func(source string) bool
	moved  func(r *rule.Rule) []Driver
}

func (b *book) entry(name string) *bookEntry {
	if b.entries[name] == nil {
		b.entries[name] = &bookEntry{clear: -1}
	}
	return b.entries[name]
}

// run is one review.
func (v *review) run() {
	v.reviewed = v.at
	v.removeRules()
	rules := v.ordered()
	for _, r := range rules {
		v.wake(r)
	}
	type verdict struct{ holds, over, inside bool }
	verdicts := map[string]verdict{}
	for _, r := range rules {
		to := verdict{inside: v.gone || v.inside(r)}
		if !v.gone && to.inside {
			to.holds, to.over = v.judge(r)
		}
		verdicts[r.Name] = to
	}
	for _, r := range rules {
		to := verdicts[r.Name]
		e := v.entry(r.Name)
		if !to.holds {
			e.barred, e.pending = false, false
		}
		if e.open != nil {
			v.open(r, e, to.over, to.inside)
		} else if to.holds {
			v.pending(r, e)
		}
	}
}

// ordered are the rules on such a subject, each behind those that hold it back, else as in the document.
func (v *review) ordered() []*rule.Rule {
	var order []*rule.Rule
	for done := false; !done; {
		done = true
		for _, r := range v.set.Rules {
			ready := !slices.ContainsFunc(r.InhibitedBy, func(name string) bool {
				return !slices.ContainsFunc(order, func(o *rule.Rule) bool { return o.Name == name })
			})
			if ready && r.OnSource == (v.subject.Source != "") && !slices.Contains(order, r) {
				order, done = append(order, r), false
				break
			}
		}
	}
	return order
}

// wake wakes and escalates what is due.
func (v *review) wake(r *rule.Rule) {
	const fall = 10_000_000
	e := v.entry(r.Name)
	if e.open == nil {
		return
	}
	o := e.open
	if o.State == snoozed {
		worse := place(v.look.band) >= 0 && place(o.slept.band) >= 0 && place(v.look.band) < place(o.slept.band) ||
			v.look.known && o.slept.known && o.slept.score-v.look.score >= fall
		switch {
		case o.Until <= v.at:
			v.rouse(e, "time")
		case o.UntilWorse && worse:
			v.rouse(e, "worse")
		}
	}
	if at := o.escalates(r); at >= 0 && at <= v.at {
		o.Escalation++
		o.waiting = v.at
		v.tell(e, "escalated", "", "", "")
	}
}

func (v *review) rouse(e *bookEntry, note string) {
	e.open.enter(firing, v.at)
	v.tell(e, "woke", "", note, "")
}

// place is a band's place from the worst; -1 for unknown.
func place(band string) int { return slices.Index(bands, band) }

// enter brings the alert into a state.
func (o *openAlert) enter(state string, at int64) {
	if o.State != state || state == snoozed {
		o.Entered = at
	}
	if state == firing {
		o.waiting, o.TakenBy = at, ""
	}
	if state != snoozed {
		o.Until, o.UntilWorse = 0, false
	}
	o.State = state
}

// escalates is when the alert is escalated; -1: it is not.
func (o *openAlert) escalates(r *rule.Rule) int64 {
	const most = 3
	if o.State != firing || o.held || r.EscalateAfter == 0 || o.Escalation >= most {
		return -1
	}
	return o.waiting + r.EscalateAfter
}

// removeRules ends the alerts of rules that are gone, and forgets what was pending.
func (v *review) removeRules() {
	var gone []string
	for name := range v.entries {
		if r := v.set.Rule(name); r == nil || r.OnSource != (v.subject.Source != "") {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		e := v.entries[name]
		e.pending, e.barred = false, false
		if e.open != nil {
			v.resolve(e, "", "rule_removed", "")
		}
	}
}

// heldBy is what holds a rule's alerts back.
func (v *review) heldBy(r *rule.Rule) []string {
	var by []string
	if v.gone {
		by = append(by, churned)
	}
	for _, name := range r.InhibitedBy {
		if e := v.entries[name]; e != nil && e.open != nil {
			by = append(by, name)
		}
	}
	for _, name := range r.Sources {
		if v.silent(name) {
			by = append(by, "source:"+name)
		}
	}
	return by
}

// open looks at an open alert: whether it ends, else whether it is held.
func (v *review) open(r *rule.Rule, e *bookEntry, over, inside bool) {
	o := e.open
	switch {
	case !inside:
		v.resolve(e, "", "out_of_scope", "")
		return
	case !over:
		e.clear = -1
	default:
		if e.clear < 0 {
			e.clear = v.at
		}
		if v.at >= e.clear+keeps(r, o) {
			v.resolve(e, "", "clear", "")
			return
		}
	}
	switch held := len(v.heldBy(r)) > 0; {
	case !o.held && held:
		o.held = true
		v.tell(e, "held", "", "", "")
	case o.held && !held:
		o.held, o.waiting = false, v.at
		v.tell(e, "released", "", "", "")
	}
}

// keeps is how long a rule has to be clear before its alert ends.
func keeps(r *rule.Rule, o *openAlert) int64 {
	if o.Flapping {
		return max(r.KeepFiringFor, day)
	}
	return r.KeepFiringFor
}

// pending looks at a rule that holds and has no open alert.
func (v *review) pending(r *rule.Rule, e *bookEntry) {
	if e.barred {
		return
	}
	if !e.pending {
		e.pending, e.since = true, v.at
	}
	by := v.heldBy(r)
	due := v.at >= e.since+r.For
	if !due || len(by) > 0 || slices.Contains(e.fires, v.at) {
		return
	}
	v.fire(r, e)
}

func (v *review) fire(r *rule.Rule, e *bookEntry) {
	lately := 0
	for _, at := range e.fires {
		if at > v.at-7*day {
			lately++
		}
	}
	owner := r.Owner
	if owner == rule.OwnerAccount {
		owner = v.owner
	}
	e.fires = append(e.fires, v.at)
	e.open = &openAlert{
		Alert: Alert{
			Rule: r.Name, Since: e.since, Fired: v.at, State: firing, Entered: v.at, Flapping: lately >= 2, Quiet: v.quiet,
			Assignee: owner, Drivers: v.moved(r),
		},
		id: v.name(v.subject, r.Name, v.at), waiting: v.at,
	}
	e.pending, e.clear = false, -1
	v.tell(e, "fired", "", "", "")
}

func (v *review) resolve(e *bookEntry, author, note, command string) {
	e.open.enter(resolved, v.at)
	e.open.Resolved = v.at
	v.tell(e, "resolved", author, note, command)
	e.open, e.clear = nil, -1
}

// tell writes a transition down, with the alert as it is now.
func (v *review) tell(e *bookEntry, kind, author, note, command string) {
	e.open.revision++
	is := e.open.Alert
	if r := v.set.Rule(is.Rule); r != nil {
		is.HeldBy = v.heldBy(r)
	}
	v.log = append(v.log, Transition{
		Subject: v.subject, AlertID: e.open.id, Revision: e.open.revision, Kind: kind, At: v.at,
		Author: author, Note: note, CommandID: command, Alert: is,
	})
}

// next is the time of the first timer behind the last review; -1: there is none.
func (b *book) next(set *rule.Set) int64 {
	first := int64(-1)
	ring := func(at int64) {
		if at > b.reviewed && (first < 0 || at < first) {
			first = at
		}
	}
	for name, e := range b.entries {
		r := set.Rule(name)
		if r == nil || r.OnSource != (b.subject.Source != "") {
			continue
		}
		if e.pending {
			ring(e.since + r.For)
			if slices.Contains(e.fires, b.reviewed) {
				ring(b.reviewed + 1)
			}
		}
		if o := e.open; o != nil {
			if o.State == snoozed {
				ring(o.Until)
			}
			if at := o.escalates(r); at >= 0 {
				ring(at)
			}
			if e.clear >= 0 {
				ring(e.clear + keeps(r, o))
			}
		}
	}
	return first
}
