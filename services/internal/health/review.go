package health

import (
	"math"
	"math/bits"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// Review is what a review of an account's alerts goes by.
type Review struct {
	Workspace, Account string
	// At is its time.
	At Time
	// Rules and scorecards in force.
	Rules *rule.Set
	Set   *scorecard.Set
	// Change is the number of the workspace's last change of settings; the account notes that it has taken it in.
	Change uint64
	// Quiet says that what fires now is not delivered.
	Quiet bool
}

// EvaluateAndReview is Evaluate, and then Review.
func (a *Account) EvaluateAndReview(v *Review) []*alertv1.Transition {
	values, ok := a.evaluate(v.Set)
	return a.review(v, values, ok)
}

// Review brings the account's alerts up to date with its last evaluation, which stands, and returns what happened.
func (a *Account) Review(v *Review) []*alertv1.Transition {
	if a.Empty() {
		a.alerting.change = v.Change
		return nil
	}
	values, ok := a.lastValues(v.Set)
	return a.review(v, values, ok)
}

// Ring is Review at a time for which the account asked to be woken.
func (a *Account) Ring(v *Review) []*alertv1.Transition {
	a.alerting.timer = 0
	return a.Review(v)
}

// review reviews by the values of the last evaluation; ok false: there are none, the customer has left or not come yet.
func (a *Account) review(v *Review, values scorecard.Values, ok bool) []*alertv1.Transition {
	g := &a.alerting
	g.change = v.Change
	if a.Empty() {
		return nil
	}
	seen := a.lookedAt(v, &values, ok)
	if due := g.book.Next(); seen == g.seen && (due == 0 || due > v.At) {
		g.book.Forget(v.At)
		a.setTimer(v.At)
		return nil
	}
	g.seen = seen
	transitions := g.book.Review(a.alertReview(v, values))
	a.setTimer(v.At)
	return transitions
}

// setTimer asks to be woken at the next time at which something may change by itself.
func (a *Account) setTimer(at Time) {
	g := &a.alerting
	g.timer = g.book.Next()
	if urgent := a.urgentTimer(at); urgent != 0 && (g.timer == 0 || urgent < g.timer) {
		g.timer = urgent
	}
}

// Examine decides whether a command about an alert can be put into effect at a time; nil: it can.
func (a *Account) Examine(workspace, account string, c *logv1.AlertCommand, at Time) *Refusal {
	key := alert.Key{Workspace: workspace, Account: account}
	if r := a.alerting.book.Examine(key, c, at); r != nil {
		return &Refusal{r.Code, r.Field, r.Message}
	}
	return nil
}

// Command puts a command that was examined into effect and returns what happened. A review has to follow, which sets the
// timer too.
func (a *Account) Command(v *Review, c *logv1.AlertCommand) *alertv1.Transition {
	values, _ := a.lastValues(v.Set)
	t := a.alerting.book.Command(a.alertReview(v, values), c)
	a.alerting.seen = 0 // what it changed may change others
	return t
}

// alertReview makes what package alert needs of the account.
func (a *Account) alertReview(v *Review, values scorecard.Values) *alert.Review {
	r := &a.result
	view := &ruleSubject{subject: subject{account: a, stage: r.Stage, values: values}, at: v.At}
	out := &alert.Review{
		Key: alert.Key{Workspace: v.Workspace, Account: v.Account}, At: v.At, Rules: v.Rules, Quiet: v.Quiet,
		Churned: r.Stage == StageChurned, Score: -1, Owner: a.profile.text(fieldOwner),
		Conditions: func(one *rule.Rule) alert.Condition { return conditionOf(one, view) },
		Silent:     a.silentSource, Subject: a.Subject,
		Drivers: func(one *rule.Rule) []alert.Driver { return a.alertDrivers(one, v.Set) },
	}
	if r.Band > BandUnknown {
		out.Band = uint8(r.Band)
	}
	if r.Score.Known {
		out.Score = r.Score.Micros
	}
	return out
}

// conditionOf works out what a rule's conditions come to.
func conditionOf(one *rule.Rule, view *ruleSubject) alert.Condition {
	if !one.InScope(view) {
		return alert.Condition{Out: true}
	}
	holds, _ := one.When(view)
	c := alert.Condition{Holds: holds, Clear: !holds}
	if c.Clear {
		if over, known, given := one.Resolve(view); given && known {
			c.Clear = over
		}
	}
	return c
}

func (a *Account) silentSource(name string) bool {
	s, ok := SourceNamed(name)
	return ok && a.alerting.silent.Has(s)
}

// Subject describes the account for people who read an alert.
func (a *Account) Subject() *alertv1.Subject {
	r, p := &a.result, &a.profile
	s := &alertv1.Subject{
		Name: p.text(fieldName), Band: healthv1.Band(r.Band), Stage: healthv1.Stage(r.Stage),
		Owner: p.text(fieldOwner), Segment: p.text(fieldSegment), Plan: p.text(fieldPlan),
		Currency: p.text(fieldCurrency), RenewalDate: p.dateText(fieldRenewalDate),
	}
	if r.Score.Known {
		s.Score = double(r.Score.Micros)
	}
	if arr, ok := p.number(fieldARR); ok {
		s.Arr = double(arr)
		if r.Score.Known {
			s.ArrAtRisk = double(fixed.MulDiv(arr, percent-r.Score.Micros, percent))
		}
	}
	return s
}

func double(micros int64) *float64 {
	v := float64(micros) / fixed.One
	return &v
}

// lookedAt is a hash of all that a review of the account goes by, but for its time. Where it is the same as last time and
// no timer is due, nothing can happen. 0 is left out, so that an account that was just read is reviewed.
func (a *Account) lookedAt(v *Review, values *scorecard.Values, ok bool) uint64 {
	h := hash(1)
	r := &a.result
	h.add(uint64(r.Stage)<<8 | uint64(r.Band)<<1 | uint64(bit(ok)))
	h.add(uint64(a.day)<<32 | uint64(a.age())) //nolint:gosec // bit pattern only
	h.add(v.Change)
	h.add(v.Rules.Version)
	h.add(uint64(a.alerting.silent) | uint64(bit(v.Quiet))<<8) //nolint:mnd // beside it
	h.add(uint64(r.Coverage))                                  //nolint:gosec // bit pattern only
	h.value(r.Score)
	for i := range r.Dimensions {
		h.value(r.Dimensions[i])
	}
	for m := range values {
		h.value(values[m])
	}
	h.add(uint64(a.profile.changes))
	detractors, promoters := a.answeredLately()
	h.add(uint64(detractors)<<32 | uint64(promoters)) //nolint:gosec // bit pattern only
	h.add(uint64(a.ticketStats.lately))               //nolint:gosec // bit pattern only
	h.add(uint64(a.urgentTicketHours(v.At)))          //nolint:gosec // bit pattern only
	return max(1, uint64(h))
}

// hash mixes numbers into one.
type hash uint64

func (h *hash) add(v uint64) {
	const prime = 0x9E3779B97F4A7C15 // 2^64 over the golden ratio: spreads neighbours far apart
	hi, lo := bits.Mul64(uint64(*h)^v, prime)
	*h = hash(bits.RotateLeft64(hi^lo, 29) + prime) //nolint:mnd // any odd turn does
}

func (h *hash) value(v scorecard.Value) {
	if !v.Known {
		h.add(math.MaxUint64)
		return
	}
	h.add(uint64(v.Micros)) //nolint:gosec // bit pattern only
}
