package health

import (
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/scorecard"
)

// Evaluate makes score, band and stage of today and keeps them. While the account is churned only
// the stage is set; without an event yet nothing is.
func (a *Account) Evaluate(set *scorecard.Set) { a.evaluate(set) }

// evaluate is Evaluate, and returns the measures as the scorecard saw them; false: nothing was measured.
func (a *Account) evaluate(set *scorecard.Set) (scorecard.Values, bool) {
	a.settle(set)
	a.dirty = false
	if a.Empty() {
		return scorecard.Values{}, false
	}
	if a.churned() {
		a.result.Stage = StageChurned
		return scorecard.Values{}, false
	}
	a.refresh()
	e := a.assess(set)
	a.result = e.result
	a.reviewGoals(&e.values)
	return e.values, true
}

// Stale says whether the last evaluation was made with another version of the document. What is
// not evaluated is not stale.
func (a *Account) Stale(set *scorecard.Set) bool {
	if a.Empty() || a.churned() {
		return false
	}
	return a.result.Card == "" || a.result.SetVersion != set.Version
}

// assessment is an evaluation with what it was made of.
type assessment struct {
	result Result
	card   *scorecard.Card
	values scorecard.Values // absence rule applied
}

// assess evaluates today, changing nothing. The sums of today stand, and the set has a card that
// holds for every account.
func (a *Account) assess(set *scorecard.Set) assessment {
	m := a.milestones(set)
	view := &subject{account: a, stage: a.stage(m), values: a.measures(m)}
	e := assessment{values: view.values}
	a.absent(&view.values, 0)
	e.card = set.Select(view)
	a.absent(&e.values, e.card.Connected)
	r := &e.result
	r.Stage, r.Card, r.SetVersion = view.stage, e.card.Name, set.Version
	r.rate(e.card, &e.values)
	r.Band = a.band(r)
	return e
}

// rate fills in score, coverage and dimensions.
func (r *Result) rate(card *scorecard.Card, values *scorecard.Values) {
	var sum, weights, covered int64
	for i := range card.Dimensions {
		d := &card.Dimensions[i]
		score, weight := rateDimension(d, values)
		if n := dimensionOf(d.Name); n >= 0 {
			r.Dimensions[n] = score
		}
		if score.Known {
			sum += d.Weight * score.Micros
			weights += d.Weight
			covered += weight
		}
	}
	r.Coverage = covered * fixed.One
	if weights > 0 {
		r.Score = known(fixed.MulDiv(sum, 1, weights))
	}
}

// rateDimension returns a dimension's score and how much of its weight has data.
func rateDimension(d *scorecard.Dimension, values *scorecard.Values) (scorecard.Value, int64) {
	var sum, weights int64
	for i := range d.Measures {
		w := &d.Measures[i]
		if v := values[w.Measure]; v.Known {
			sum += w.Weight * w.Curve.Points(v.Micros)
			weights += w.Weight
		}
	}
	if weights == 0 {
		return scorecard.Value{}, 0
	}
	return known(fixed.MulDiv(sum, 1, weights)), weights
}

// band is the band of a new result, given the last one.
func (a *Account) band(r *Result) Band {
	last := &a.result
	switch {
	case r.Coverage < minCoverage:
		return BandUnknown
	case last.Band <= BandUnknown, last.Card != r.Card, last.SetVersion != r.SetVersion:
		return plainBand(r.Score.Micros)
	}
	return nextBand(last.Band, r.Score.Micros)
}

// subject is what the conditions of scorecards see of an account.
type subject struct {
	account *Account
	stage   Stage
	values  scorecard.Values
}

var _ scorecard.Subject = (*subject)(nil)

func (s *subject) Stage() string { return s.stage.String() }

func (s *subject) AgeDays() int64 { return s.account.age() }

func (s *subject) ProfileText(name string) string {
	f, ok := fieldOf(name)
	switch {
	case !ok:
		return ""
	case f.isText():
		return s.account.profile.text(f)
	case f == fieldCreatedDate, f == fieldRenewalDate, f == fieldChurnDate:
		return s.account.profile.dateText(f)
	}
	return ""
}

func (s *subject) ProfileNumber(name string) int64 {
	f, ok := fieldOf(name)
	if !ok {
		return 0
	}
	n, _ := s.account.profile.number(f)
	switch f {
	case fieldARR:
		return n
	case fieldSeats, fieldTermDays:
		return n * fixed.One
	case fieldName, fieldPlan, fieldCurrency, fieldRenewalDate, fieldCreatedDate, fieldOwner, fieldSegment,
		fieldIndustry, fieldParent, fieldStage, fieldChurnDate, fieldCount:
	}
	return 0
}

func (s *subject) Traits(f func(name string, t scorecard.Trait)) {
	traits := s.account.profile.traits
	for i := range traits {
		if traits[i].set {
			f(traits[i].name, traits[i].value)
		}
	}
}

func (s *subject) Measure(m scorecard.Measure) scorecard.Value { return s.values[m] }
