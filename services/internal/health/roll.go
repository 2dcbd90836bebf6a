package health

import (
	"slices"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/scorecard"
)

// Roll takes the account to a later day, one by one: it evaluates the day that ends if events were
// applied since its last evaluation, hands over its row, and evaluates the next. A churned account
// has no rows. An earlier day does nothing.
func (a *Account) Roll(to Day, set *scorecard.Set, row func(Row)) { a.roll(to, set, row) }

// RollAndReview takes the account to the next day, as Roll does, and reviews its alerts there.
func (a *Account) RollAndReview(v *Review, row func(Row)) []*alertv1.Transition {
	values, ok := a.roll(a.day+1, v.Set, row)
	return a.review(v, values, ok)
}

// roll is Roll, and returns the measures of the last evaluation; false: nothing was measured.
func (a *Account) roll(to Day, set *scorecard.Set, row func(Row)) (scorecard.Values, bool) {
	var values scorecard.Values
	fresh := false // the values are those of today's evaluation
	for a.day < to {
		if a.dirty {
			values, fresh = a.evaluate(set)
		}
		if a.Empty() || a.churned() {
			a.jump(to, set)
			return scorecard.Values{}, false
		}
		if !fresh {
			values, fresh = a.lastValues(set)
		}
		r := a.row()
		r.Measures, r.HasMeasures = values, fresh
		row(r)
		a.alerting.keepWeek(&r)
		a.remember()
		a.next(set)
		values, fresh = a.evaluate(set)
	}
	return values, fresh
}

// lastValues makes the measures of the last evaluation again, which was today and after every event; false where it was
// by other scorecards.
func (a *Account) lastValues(set *scorecard.Set) (scorecard.Values, bool) {
	i := slices.IndexFunc(set.Cards, func(c *scorecard.Card) bool { return c.Name == a.result.Card })
	if i < 0 || set.Version != a.result.SetVersion {
		return scorecard.Values{}, false
	}
	a.refresh()
	values := a.measures(a.milestones(set))
	a.absent(&values, set.Cards[i].Connected)
	return values, true
}

// jump passes days on which nothing is evaluated.
func (a *Account) jump(to Day, set *scorecard.Set) {
	if last := lastForget(to); last > a.day {
		a.day = last
		a.forget(set)
	}
	a.day = to
	a.prune()
	a.expire()
	a.Evaluate(set)
}

// next begins the next day.
func (a *Account) next(set *scorecard.Set) {
	a.day++
	a.prune()
	a.expire()
	if a.day%forgetEvery == 0 {
		a.forget(set)
	}
}

// prune drops the daily sums that left every window.
func (a *Account) prune() {
	n := 0
	for n < len(a.usage) && a.usage[n].day < a.day-usageDays {
		n++
	}
	if n > 0 {
		a.usage = append(a.usage[:0], a.usage[n:]...)
	}
	for n = 0; n < len(a.surveys) && a.surveys[n].day <= a.day-surveyDays; {
		n++
	}
	if n > 0 {
		a.surveys = append(a.surveys[:0], a.surveys[n:]...)
	}
}

func (a *Account) row() Row {
	r := &a.result
	return Row{
		Day: a.day, Score: r.Score, Band: r.Band, Coverage: r.Coverage, Stage: r.Stage,
		Card: r.Card, SetVersion: r.SetVersion, Dimensions: r.Dimensions,
	}
}
