package portfolio

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// retention is what became of the arr of each month's start.
type retention struct {
	months []monthSum
}

// monthSum sums up a month.
type monthSum struct {
	month health.Month
	// first and last are the days on which a renewal falls into the month; last is not after today.
	first, last health.Day

	accounts, gone                                int64
	opening, expansion, contraction, churned, new amount
	renewable, renewed                            amount
}

func newRetention(o *Options) retention {
	t := retention{months: make([]monthSum, o.months())}
	for i := range t.months {
		month := o.From + health.Month(i)
		t.months[i] = monthSum{month: month, first: month.First(), last: min(month.Last(), o.Today)}
	}

	return t
}

// monthState is how an account stood at the end of a month.
type monthState struct {
	arr     int64 // 0: none, or not there
	renewal health.Day
}

// add adds an account, churned or not, for which now is the present month.
func (t *retention) add(r *column.Row, now health.Month, own bool) {
	if len(t.months) == 0 {
		return
	}

	var states [MaxMonths + 1]monthState

	fillStates(r, now, t.months[0].month-1, states[:len(t.months)+1])

	for i := range t.months {
		before, after := &states[i], &states[i+1]
		if before.arr|after.arr != 0 {
			t.months[i].add(before, after, own)
		}
	}
}

// fillStates says how an account stood at the end of months in a row. A month that has not ended for the account
// is as it is now.
func fillStates(r *column.Row, now, first health.Month, states []monthState) {
	for i := range states {
		states[i].renewal = column.NoDay
	}

	for i := range r.Months {
		e := &r.Months[i]
		if at := int(e.Month - first); at >= 0 && at < len(states) {
			states[at] = monthState{arr: max(0, e.ARR), renewal: e.Renewal}
		}
	}

	present := monthState{renewal: r.Renewal}
	if !churned(r) {
		present.arr = arrOf(r)
	}

	for i := max(0, int(now-first)); i < len(states); i++ {
		states[i] = present
	}
}

// add adds an account that has arr before or after.
func (m *monthSum) add(before, after *monthState, own bool) {
	if before.arr > 0 {
		m.accounts++

		if after.arr == 0 {
			m.gone++
		}
	}

	if !own {
		return
	}

	switch {
	case before.arr == 0:
		m.new.add(after.arr)

		return
	case after.arr == 0:
		m.churned.add(before.arr)
	case after.arr > before.arr:
		m.expansion.add(after.arr - before.arr)
	default:
		m.contraction.add(before.arr - after.arr)
	}

	m.opening.add(before.arr)

	if before.renewal >= m.first && before.renewal <= m.last {
		m.renewable.add(before.arr)
		m.renewed.add(after.arr)
	}
}

func (t *retention) merge(o *retention) {
	for i := range t.months {
		m, other := &t.months[i], &o.months[i]
		m.accounts += other.accounts
		m.gone += other.gone
		m.opening = m.opening.plus(other.opening)
		m.expansion = m.expansion.plus(other.expansion)
		m.contraction = m.contraction.plus(other.contraction)
		m.churned = m.churned.plus(other.churned)
		m.new = m.new.plus(other.new)
		m.renewable = m.renewable.plus(other.renewable)
		m.renewed = m.renewed.plus(other.renewed)
	}
}

func (t *retention) figures() []*healthv1.Retention {
	out := make([]*healthv1.Retention, len(t.months))

	for i := range t.months {
		m := &t.months[i]
		kept := m.opening.minus(m.contraction).minus(m.churned)
		out[i] = &healthv1.Retention{
			Month:    m.month.String(),
			Accounts: int32(m.accounts), ChurnedAccounts: int32(m.gone), //nolint:gosec // far below
			OpeningArr: m.opening.float(), ExpansionArr: m.expansion.float(), ContractionArr: m.contraction.float(),
			ChurnedArr: m.churned.float(), NewArr: m.new.float(),
			GrossRetention: kept.percent(m.opening), NetRetention: kept.plus(m.expansion).percent(m.opening),
			RenewableArr: m.renewable.float(), RenewedArr: m.renewed.float(),
			NetRenewalRate: m.renewed.percent(m.renewable), LogoChurn: share(m.gone, m.accounts),
		}
	}

	return out
}
