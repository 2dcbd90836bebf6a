package portfolio

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/query/internal/column"
)

// Sum gathers accounts. It is not safe for concurrent use.
type Sum struct {
	options   Options
	calendar  calendar // the zero value is right for its day
	other     int64
	groups    groups
	movements movements
	retention retention
	cohorts   cohorts
	renewals  top[*column.Row]
	overdue   top[*column.Row]
	expand    top[*column.Row]
	refer     top[*column.Row]
	surveys   surveys
}

// New returns a sum of no accounts.
func New(o Options) *Sum {
	return &Sum{
		options: o,
		groups:  newGroups(), retention: newRetention(&o), cohorts: newCohorts(&o), surveys: newSurveys(&o),
		renewals: top[*column.Row]{limit: o.Limit, compare: compareRenewals(o.Currency)},
		overdue:  top[*column.Row]{limit: o.Limit, compare: compareOverdue(o.Currency)},
		expand:   top[*column.Row]{limit: o.Limit, compare: compareExpansions(o.Currency)},
		refer:    top[*column.Row]{limit: o.Limit, compare: compareReferences(o.Currency)},
	}
}

// Add adds accounts. Rows are kept, and must not change.
func (s *Sum) Add(rows ...*column.Row) {
	for _, r := range rows {
		s.add(r)
	}
}

func (s *Sum) add(r *column.Row) {
	own := r.Currency == s.options.Currency
	if !own && r.ARRKnown {
		s.other++
	}

	s.movements.add(r, &s.options, own)

	now := s.calendar.monthOf(r.Day)
	s.retention.add(r, now, own)
	s.cohorts.add(r, now, own)
	s.surveys.add(r)

	if churned(r) {
		return
	}

	s.groups.add(r, own)

	if due(r, &s.options) {
		s.renewals.add(r)
	}

	if overdue(r, &s.options) {
		s.overdue.add(r)
	}

	if expansion(r) {
		s.expand.add(r)
	}

	if reference(r) {
		s.refer.add(r)
	}
}

// Merge adds the accounts of another sum with the same options.
func (s *Sum) Merge(other *Sum) {
	s.other += other.other
	s.groups.merge(&other.groups)
	s.movements.merge(&other.movements)
	s.retention.merge(&other.retention)
	s.cohorts.merge(&other.cohorts)
	s.surveys.merge(&other.surveys)
	s.renewals.add(other.renewals.kept...)
	s.overdue.add(other.overdue.kept...)
	s.expand.add(other.expand.kept...)
	s.refer.add(other.refer.kept...)
}

// Figures returns what the accounts come to, without as_of.
func (s *Sum) Figures() *healthv1.GetPortfolioResponse {
	answer := &healthv1.GetPortfolioResponse{
		Currency:              s.options.Currency,
		OtherCurrencyAccounts: int32(s.other), //nolint:gosec // far below
		Movements:             s.movements.figures(),
		Months:                s.retention.figures(),
		Cohorts:               s.cohorts.figures(),
		Renewals:              renewalFigures(s.renewals.sorted(), &s.options),
		OverdueRenewals:       renewalFigures(s.overdue.sorted(), &s.options),
		Expansions:            candidateFigures(s.expand.sorted(), s.options.Currency, expansionReasons),
		References:            candidateFigures(s.refer.sorted(), s.options.Currency, referenceReasons),
		Surveys:               s.surveys.figures(),
	}
	s.groups.figures(answer)

	return answer
}
